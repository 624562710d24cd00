/**
 * What a stage does with its data, and whose keys it asks for. A stage named for a pull request, such as `pr-12`, is a
 * preview: its bucket goes with it (when it is empty), it takes the keys of the stage `preview`, and wakes nobody up.
 */
module.exports = ({ options }) =>
  /^pr-\d+$/.test(options.stage ?? "")
    ? { data: "Delete", versions: "Suspended", keysOf: "preview", alarms: "off" }
    : { data: "Retain", versions: "Enabled", keysOf: options.stage ?? "dev", alarms: "on" };
