/**
 * Stub code: machine code with its assembler text beside it.
 *
 * A line is `bytes | instruction`. The last word of an instruction may name what is only known at patch time:
 * `original`, what the function did before; `seconds` and `fraction`, what to add or to show. Such a line's bytes are zero, as an
 * assembler leaves them, and are filled in when the stub is placed. So the text can be given to an assembler, and must
 * come out as the bytes.
 */
export type Blank = 'original' | 'seconds' | 'fraction';

export interface StubCode {
  readonly bytes: Buffer;
  /** Where to fill in what: the line's own span. */
  readonly blanks: readonly { readonly name: Blank; readonly from: number; readonly to: number }[];
  /** The instructions alone. */
  readonly text: string;
}

/** Read when it is first looked at: hardly any run needs one. */
export function stubCode(listing: string): StubCode {
  let code: StubCode | undefined;
  const read = (): StubCode => (code ??= assembled(listing));
  return Object.freeze({
    get bytes() { return read().bytes; },
    get blanks() { return read().blanks; },
    get text() { return read().text; },
  });
}

function assembled(listing: string): StubCode {
  const pieces: Buffer[] = [];
  const blanks: { name: Blank; from: number; to: number }[] = [];
  const text: string[] = [];
  let length = 0;
  for (const line of listing.split('\n').filter((each) => each.includes('|'))) {
    const [hex, instruction] = line.split('|') as [string, string];
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    const name = /\b(original|seconds|fraction)\s*$/.exec(instruction)?.[1] as Blank | undefined;
    if (name !== undefined) blanks.push({ name, from: length, to: length + bytes.length });
    pieces.push(bytes);
    text.push(instruction.trim());
    length += bytes.length;
  }
  return { bytes: Buffer.concat(pieces), blanks, text: text.join('\n') };
}

export interface StubValues {
  /** Where in the image the stub will stand. */
  readonly at: number;
  /** Where in the image stands what `original` calls. */
  readonly original: number;
  readonly seconds: bigint;
  /** Of a second, in the unit of the structure that the stub changes: from 0 to below a second. */
  readonly fraction: number;
}

/** Writes a jump or call at `from` of `code`, which stands at `at`, so that it leads to `to`. */
export type Link = (code: Buffer, from: number, at: number, to: number) => void;

export function place(code: StubCode, values: StubValues, link: Link): Buffer {
  const bytes = Buffer.from(code.bytes);
  for (const { name, from, to } of code.blanks) {
    if (name === 'original') link(bytes, from, values.at + from, values.original);
    else if (name === 'seconds') bytes.writeBigInt64LE(values.seconds, to - 8);
    else bytes.writeUInt32LE(values.fraction, to - (to - from === 5 ? 4 : 8)); // mov r32, imm32, or a literal
  }
  return bytes;
}
