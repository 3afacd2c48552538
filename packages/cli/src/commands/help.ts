/** What `sandlock --help` prints. Each command has its own. */
export const help = `Usage: sandlock COMMAND [options]

Run untrusted programs under Landlock, seccomp and a supervisor. No root, no containers, no namespaces.

Commands:
  run [options] [--] PROGRAM [ARGUMENT...]   run a program that may do what it was granted, and nothing else
  check [--json]                             tell whether this machine can, by trying
  profile list | show NAME | delete NAME     print or delete profiles: options of runs, in files
  bpf COMMAND [options] FILE...              make, read, compare and try seccomp filters

Options:
  -V, --version   print the version
  -h, --help      print this; "sandlock run --help" prints the options of a run

Example, which may read the system's files and write to /tmp:
  sandlock run -r /usr -r /lib -r /lib64 -r /bin -r /etc -w /tmp -- ls /tmp
`;
