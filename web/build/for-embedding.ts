import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

import type { Plugin } from 'vite';

const COMPRESSIBLE = /\.(html|js|css|svg)$/;
/** Bytes below which compressing is not worth a second form. */
const LEAST = 512;

/** Most bytes, by gzip, of the scripts and styles that every page waits for. */
const MOST = 170_000;

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

/** How much the document makes a browser load before anything is there to be seen. */
function firstLoad(folder: string): number {
  const html = readFileSync(join(folder, 'index.html'), 'utf8');
  const files = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(
    ([, path]) => path ?? '',
  );
  const sizes = files.map((path) => {
    const packed = join(folder, `${path}.gz`);
    return statSync(existsSync(packed) ? packed : join(folder, path)).size;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/**
 * Leaves `dist` as `crates/server/build.rs` embeds it: nothing of an older build, and every text also
 * in Brotli and gzip. `.gitignore` stays, so that the folder is there in a fresh clone. A first load that
 * grows out of bounds is an error.
 */
export function forEmbedding(): Plugin {
  let folder = 'dist';
  return {
    name: 'for-embedding',
    apply: 'build',
    // Nothing is painted before the theme is known, also by browsers whose person chose another one than
    // the system's.
    transformIndexHtml: {
      order: 'post',
      handler: (html) =>
        html.replace('<script type="module"', '<script type="module" blocking="render"'),
    },
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
        const size = firstLoad(folder);
        this.info(`first load: ${size} of ${MOST} bytes`);
        if (size > MOST) this.error(`The first load takes ${size} bytes; ${MOST} are allowed.`);
      },
    },
  };
}
