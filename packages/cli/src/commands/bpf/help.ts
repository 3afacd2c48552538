/** What `sandlock bpf --help` and `sandlock bpf COMMAND --help` print. */

const GENERAL = `Usage: sandlock bpf COMMAND [options] FILE...

Make, read, compare and try seccomp filters. Nothing is installed, and no privilege is needed.

Commands:
  compile   a profile or rules to a program: bytes for "bwrap --seccomp FD", a C array, JSON
  disasm    the instructions of a program, with names
  explain   what a program says, call by call
  diff      the calls on which two programs disagree, with a witness for each
  simulate  what a program answers to one call

FILE is "-" for stdin, or one of these, told apart by what is in it:
  a program  raw instructions, eight bytes each
  a profile  JSON of the OCI runtime specification or of Docker
  rules      JSON such as
             {"defaultAction": "allow", "rules": [
               {"syscall": "ioctl", "when": [{"arg": 1, "op": "eq", "value": "0x5412", "width": 32}], "action": "errno(EPERM)"}]}

"sandlock bpf COMMAND --help" prints the options of a command.
`;

const SOURCE = `  --arch ARCH       x86_64, x32, i386, aarch64, arm or riscv64; this machine's by default
  --cap NAME        a capability of the container, for profiles that ask (repeatable, or a list with commas);
                    "docker" stands for those that Docker leaves by default, "all" for all
  --kernel VERSION  a kernel for profiles that ask, as in 6.1; the running one by default
  --layout LAYOUT   tree (default), or linear: one system call after the other
`;

const HELP = `  -h, --help        print this
`;

const COMMANDS = {
  compile: `Usage: sandlock bpf compile [options] FILE

Compile a profile or rules, or put a program into another form.

Options:
  -o, --output FILE write there instead of to stdout
  --format FORMAT   raw (default): the bytes; c: an array for a C source; json: instructions;
                    oci: the rules as a profile
  --json            the same as --format json
  --name NAME       the array's name in C (default: filter)
  -v, --verbose     tell on stderr what of a profile had no effect
${SOURCE}${HELP}
Bytes are not written to a terminal. Docker's default profile for bubblewrap:
  sandlock bpf compile --cap docker -o docker.bpf profile.json
  bwrap --ro-bind / / --seccomp 3 PROGRAM 3< docker.bpf
`,
  disasm: `Usage: sandlock bpf disasm [options] FILE

Print the instructions of a program. If the kernel would refuse it, say why and end with code 1.

Options:
  --json            as JSON
${SOURCE}${HELP}`,
  explain: `Usage: sandlock bpf explain [options] FILE

Print what a program says to every call of every architecture that it tells apart. "Cached" are calls for which the
kernel skips the program, since it allows them whatever their arguments are (Linux 5.11).

Options:
  --syscall CALL    only this call: openat, 257 or i386:openat (repeatable)
  --json            as JSON
${SOURCE}${HELP}
Of a program in bytes, --arch picks the architecture to explain.
`,
  diff: `Usage: sandlock bpf diff [options] FILE FILE

Print where two programs disagree, with a call as a witness. Nothing printed is a proof that they are equal.
Ends with code 0 if they agree, 1 if they differ, 2 in trouble.

Options:
  --json            as JSON
${SOURCE}${HELP}`,
  simulate: `Usage: sandlock bpf simulate --syscall CALL [options] FILE

Print what a program answers to a call.

Options:
  --syscall CALL    openat, 257 or i386:openat
  --args LIST       up to six arguments with commas: 2,0x80001,-1 (missing ones are 0)
  --ip ADDRESS      the instruction pointer (default: 0)
  --path            print the instructions that ran as well
  --json            as JSON, with the path
${SOURCE}${HELP}`,
} as const;

export type BpfCommand = keyof typeof COMMANDS;

export function isCommand(name: string): name is BpfCommand {
  return Object.hasOwn(COMMANDS, name);
}

export function help(command?: BpfCommand): string {
  return command === undefined ? GENERAL : COMMANDS[command];
}
