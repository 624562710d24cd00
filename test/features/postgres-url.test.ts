import { describe, expect, test } from "vitest";
import { parsePostgresUrl } from "../../functions/platform/features/postgres.ts";

describe("the URL of a table", () => {
  test("names the table and the column of the time, and keeps what is the server's", () => {
    expect(
      parsePostgresUrl("postgres://me:w@db:5433/shop?table=a.customers&at=day&sslmode=require"),
    ).toEqual({
      connectionString: "postgres://me:w@db:5433/shop?sslmode=require",
      table: "a.customers",
      at: "day",
    });
  });

  test.each([
    "postgres://db/shop",
    "postgres://db/shop?table=customers;drop",
    'postgres://db/shop?table="a"',
    "postgres://:5432:?table=a",
    "mysql://db/shop?table=customers",
  ])("%s is refused", (url) => {
    expect(parsePostgresUrl(url)).toBeUndefined();
  });
});
