import assert from "node:assert/strict";
import { rootFolder } from "../stack/folders.ts";
import { scenarioNamed } from "../scenarios/scenarios.ts";
import { defectNamed, defects, plant, spoil } from "./defects.ts";

for (const defect of defects) {
  Deno.test(`${defect.name} fits the source as it is`, async () => {
    const text = await Deno.readTextFile(`${rootFolder}/${defect.source}`);
    assert.notEqual(spoil(text, defect), text);
    assert.ok(scenarioNamed(defect.scenario));
  });
}

Deno.test("spoil() refuses a source in which the line does not stand exactly once", () => {
  const [defect] = defects;
  assert.throws(() => spoil("", defect!), /0 times, not once/);
  assert.throws(() => spoil(defect!.find.repeat(2), defect!), /2 times, not once/);
});

Deno.test("plant() mounts the spoilt file over the image's", async () => {
  const folder = await Deno.makeTempDir();
  const defect = defectNamed("no-keepalive-min-timeout");
  const overlay = JSON.parse(await Deno.readTextFile(await plant(defect, folder)));
  const [volume] = overlay.services.nginx.volumes;
  assert.equal(volume.target, defect.inImage);
  assert.ok(!(await Deno.readTextFile(volume.source)).includes(defect.find));
  await Deno.remove(folder, { recursive: true });
});

Deno.test("defectNamed() tells which there are", () => {
  assert.throws(() => defectNamed("x"), /there are no-drain-on-kill, no-keepalive-min-timeout/);
});
