/**
 * Returns the Python of COLLAPSAR_TEST_PYTHON, made by .ci/python, or null where it is not
 * set: a line on the console then says that the suite does without, unless COLLAPSAR_TEST_REQUIRE_SERVERS=1 makes that an error.
 */
export function findPython(): string | null {
  const { COLLAPSAR_TEST_PYTHON: python, COLLAPSAR_TEST_REQUIRE_SERVERS: required } = process.env;
  if (python) return python;
  const absent = "COLLAPSAR_TEST_PYTHON names no Python as .ci/python makes one";
  if (required === "1") throw new Error(absent);
  console.warn(`NOT TESTED WITH PYTHON: ${absent}`);
  return null;
}
