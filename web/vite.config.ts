import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vitest/config';

import { forEmbedding } from './build/for-embedding.ts';

/** Where `npm run dev` finds the API. */
const server = process.env.SIGNALBOX_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [tailwindcss(), forEmbedding()],
  esbuild: { jsx: 'automatic' },
  resolve: { alias: { '@': `${import.meta.dirname}/src` } },
  build: {
    outDir: 'dist',
    emptyOutDir: false,
    target: 'es2022',
    // Nothing inline: the content security policy allows none of it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    reportCompressedSize: false,
    rollupOptions: {
      // Packages mark what runs in browsers for frameworks that also render on servers. Nothing here does.
      onwarn: (warning, warn) => {
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
  // The server takes changes from pages of its own origin alone.
  server: {
    proxy: { '/api': { target: server, changeOrigin: true, headers: { origin: server } } },
  },
  test: { include: ['src/**/*.test.ts'] },
});
