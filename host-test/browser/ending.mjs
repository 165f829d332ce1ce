// Ends what has been started, whichever way the run ends: done, failed, by a signal, or because nobody reads its output.

const ends = [];
let ending;

/** Has `end` called when the run ends, before what was started earlier is ended. */
export function atEnd(end) {
  // Too late for the list: something was being started meanwhile.
  if (ending) end();
  else ends.push(end);
}

/** Ends everything, once. */
export function endAll() {
  ending ??= (async () => {
    for (const end of ends.reverse()) {
      try {
        await end();
      } catch (error) {
        console.error(`browser/run: ${error.message}`);
        process.exitCode = 1;
      }
    }
  })();
  return ending;
}

/** Has the run been told to end before it was done? */
export const isEnding = () => Boolean(ending);

async function stop() {
  await endAll();
  process.exit(130);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, stop);
// Not once: each line that is written after that is another error.
for (const output of [process.stdout, process.stderr]) output.on('error', stop);
