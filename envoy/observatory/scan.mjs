// One scan with MDN's HTTP Observatory of a site on loopback: its grade, its score, and each test that it took.
// Arguments: the package's folder, a name for the site, its http port, its https port, and the least score that is a pass.
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const [folder, name, httpPort, httpsPort, least] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(folder, "src", path)).href);
const { retrieve } = await load("retriever/retriever.js");
const { ALL_TESTS, ALGORITHM_VERSION } = await load("constants.js");
const { getGradeForScore, getScoreModifier } = await load("grader/grader.js");
const { MINIMUM_SCORE_FOR_EXTRA_CREDIT } = await load("grader/charts.js");

const answers = await retrieve("127.0.0.1", { httpPort: Number(httpPort), httpsPort: Number(httpsPort) });
if (!answers.responses.auto) {
  console.error(`${name}: the site does not answer`);
  process.exit(1);
}
const results = ALL_TESTS.map((test) => test(answers)).filter((test) => test.result);
const points = results.map((test) => getScoreModifier(test.result));
const sum = (list) => list.reduce((total, point) => total + point, 100);
// Extra credit counts only for a site that is good without it.
const without = sum(points.filter((point) => point < 0));
const score = Math.max(0, without >= MINIMUM_SCORE_FOR_EXTRA_CREDIT ? sum(points) : without);
const passed = results.filter((test) => test.pass).length;

console.log(`${name}: ${getGradeForScore(score).grade} ${score} (${passed} of ${results.length} tests, algorithm ${ALGORITHM_VERSION})`);
results.forEach((test, at) => console.log(`  ${test.pass ? "pass" : "fail"} ${String(points[at]).padStart(4)}  ${test.result}`));
process.exit(least && score < Number(least) ? 1 : 0);
