// Runs in Playwright's driver before its own code. At each look that does not yet see what is expected, the driver
// describes the whole page, for the message of a failure: a tenth of the processor time of the tests in Chromium.
// Here it describes a page after five seconds of such looks, and then every five seconds.
const { Module } = require("node:module");

const compile = Module.prototype._compile;
const DESCRIBE = "ariaSnapshotForExpectFailure(element, options) {";
const SELDOM = " if (performance.now() - (this.describedAt ??= performance.now()) < 5e3) return undefined;" +
  " this.describedAt = performance.now();";

Module.prototype._compile = function (code, path, ...more) {
  const seldom = path.endsWith("coreBundle.js") ? code.replace(DESCRIBE, DESCRIBE + SELDOM) : code;
  return compile.call(this, seldom, path, ...more);
};
