/**
 * What the policy grants, as far as views need to know: a view is asked for only where its name is granted.
 *
 * Paths are absolute and canonical, a character a byte (latin1). What was granted as `/proc/self` is asked for by that name.
 */
export interface Grants {
  mayRead(path: string): boolean;
  mayWrite(path: string): boolean;
}
