/** Values of the header `Authorization`, for registries and for their token services. */

export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

export function bearerHeader(token: string): string {
  return `Bearer ${token}`;
}
