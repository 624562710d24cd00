// Loaded before a server: its clock is wrong by so many milliseconds.
const wrongBy = Number(process.env.CLOCK_WRONG_BY_MS);
const RightDate = Date;
globalThis.Date = class extends RightDate {
  constructor(...given) {
    if (given.length === 0) super(RightDate.now() + wrongBy);
    else super(...given);
  }
  static now() {
    return RightDate.now() + wrongBy;
  }
};
