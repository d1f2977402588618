import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

import type { Plugin } from 'vite';

const COMPRESSIBLE = /\.(html|js|css|svg)$/;
/** Bytes below which compressing is not worth a second form. */
const LEAST = 512;

function compressed(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !COMPRESSIBLE.test(entry.name)) continue;
    const plain = readFileSync(path);
    if (plain.length < LEAST) continue;
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
    };
    writeFileSync(`${path}.br`, brotliCompressSync(plain, { params }));
    writeFileSync(`${path}.gz`, gzipSync(plain, { level: 9 }));
  }
}

/**
 * Leaves `dist` as `crates/server/build.rs` embeds it: nothing of an older build, and every text also
 * in Brotli and gzip. `.gitignore` stays, so that the folder is there in a fresh clone.
 */
export function forEmbedding(): Plugin {
  let folder = 'dist';
  return {
    name: 'for-embedding',
    apply: 'build',
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    buildStart() {
      for (const name of readdirSync(folder)) {
        if (name !== '.gitignore') rmSync(join(folder, name), { recursive: true });
      }
    },
    closeBundle: {
      order: 'post',
      sequential: true,
      handler() {
        compressed(folder);
      },
    },
  };
}
