// How soon the console is there: on a line of 400 kbit/s with nothing kept, and on the machine itself. The browser's own entries,
// medians of several runs in one go: node tests/browser/paint.js [runs]

import { launch } from "./looks.js";
import { Node } from "./nodes.js";
import { ask } from "./two.js";

/** 400 kbit/s in bytes a second, and a round trip as to a node in another country, milliseconds. */
const LINE = { offline: false, downloadThroughput: 400_000 / 8, uploadThroughput: 400_000 / 8, latency: 100 };
const runs = Number(process.argv[2] ?? 7);
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

const browser = await launch();
const node = await Node.start("FR");
const session = await node.session();
await session.command("POST", "/audiences", { name: "Friends", kind: "community", members: ["*"] });
for (let number = 0; number < 20; number += 1) await session.command("POST", "/assistance", ask(`Call ${number}`, { audience: "Friends" }));

for (const [name, line] of [["400 kbit/s, 100 ms", LINE], ["this machine", null]]) {
  const found = [];
  for (let run = 0; run < runs; run += 1) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    await context.addCookies([session.cookie]);
    const page = await context.newPage();
    const world = await context.newCDPSession(page);
    await world.send("Network.enable");
    await world.send("Network.setCacheDisabled", { cacheDisabled: true });
    if (line) await world.send("Network.emulateNetworkConditions", line);
    await page.goto(`${node.url}/console/`, { waitUntil: "commit" });
    await page.locator(".column .case").first().waitFor({ timeout: 60_000 });
    await page.locator(".drawn svg").waitFor({ timeout: 60_000 });
    found.push(await page.evaluate(() => ({
      paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
      whole: performance.now(),
      bytes: performance.getEntriesByType("resource").filter((one) => /\.(js|css)$/.test(one.name)).reduce((sum, one) => sum + one.encodedBodySize, 0),
    })));
    await context.close();
  }
  const of = (what) => Math.round(median(found.map((one) => one[what])));
  console.log(`${name}: first paint ${of("paint")} ms, board and map ${of("whole")} ms, ${of("bytes")} bytes of script and style, median of ${runs}`);
}
await browser.close();
await node.stop();
