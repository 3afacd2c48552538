/** The command line itself is wrong: nothing was tried. */
export class UsageError extends Error {
  /** Whose `--help` tells more. */
  readonly command: string;

  constructor(message: string, command: string) {
    super(message);
    this.command = command;
  }
}
