/**
 * Options with a fixed name and meaning that this version does not enforce.
 *
 * They are refused as such, never ignored: somebody who writes `fsDenied` relies on it. A name leaves this list
 * when its record joins the table; a test holds the two apart.
 */
const names = [
  'workdir', 'fsStorage', 'onExit', 'onError', 'maxDisk', 'chroot', 'fsMount', 'fsDenied', 'fsExecutable',
  'netDeny', 'netDenyBind', 'portRemap', 'httpAllow', 'httpDeny', 'httpPorts', 'httpCa', 'httpKey', 'httpInjectCa',
  'httpCaOut', 'httpAuth', 'credentials',
  'policyFn', 'controlSocket', 'mode',
] as const;

export const NOT_YET_OPTIONS: readonly string[] = names;
