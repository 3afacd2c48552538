/** smol-toml, as a file of its own beside the command: only runs with a profile, and `sandlock profile`, load it. */
export * from 'smol-toml';
