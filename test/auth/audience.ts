export const ISSUER = "https://issuer.test/";
export const AUDIENCE = "nearcast-test";
