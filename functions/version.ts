/** The package's own version. A constant, because what is built of the package has no package.json beside it. */
export const VERSION = "0.1.0";
