/** Whether only this machine can reach the host. With any other host, a server is a deployment. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}
