/** Every route of one job, as methods and what follows the job's address. */
export const JOB_ROUTES = [
  ["GET", ""],
  ["GET", "/result"],
  ["GET", "/events"],
  ["POST", "/cancel"],
  ["DELETE", ""],
] as const;
