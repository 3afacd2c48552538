/** What an aborted run rejects with: an AbortError as the platform's own APIs have it, the signal's reason as its cause. */
export function abortError(signal: AbortSignal | undefined): DOMException {
  const error = new DOMException('The run was aborted.', 'AbortError');
  Object.defineProperty(error, 'cause', { value: signal?.reason, configurable: true, writable: true });
  return error;
}
