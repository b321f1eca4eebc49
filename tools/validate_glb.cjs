// Run the Khronos glTF validator on one GLB: prints counts and messages as JSON, exits 1 on any error
// or warning. Usage: node tools/validate_glb.cjs FILE
"use strict";
const fs = require("fs");
const validator = require("gltf-validator");

const path = process.argv[2];
validator
  .validateBytes(new Uint8Array(fs.readFileSync(path)), { uri: path, maxIssues: 100 })
  .then((report) => {
    const { numErrors: errors, numWarnings: warnings, numInfos: infos, messages } = report.issues;
    process.stdout.write(JSON.stringify({ errors, warnings, infos, messages }) + "\n");
    process.exitCode = errors + warnings > 0 ? 1 : 0;
  })
  .catch((error) => {
    process.stderr.write(String(error) + "\n");
    process.exitCode = 2;
  });
