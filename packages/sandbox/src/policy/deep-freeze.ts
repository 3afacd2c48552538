/** Plain data frozen all the way down. Byte arrays cannot be frozen and are left as they are. */
export function deepFreeze<Data>(data: Data): Data {
  if (typeof data !== 'object' || data === null || ArrayBuffer.isView(data) || Object.isFrozen(data)) return data;
  for (const value of Object.values(data)) deepFreeze(value as unknown);
  return Object.freeze(data);
}
