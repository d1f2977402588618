// Pictures of every page in four variants, into the folder PICTURES.
import { mkdirSync, rmSync } from 'node:fs';

import { acting, PAGES, visit } from './site.mjs';
import { launch, person, SITE, windowOf } from './stage.mjs';

const VARIANTS = {
  'light-desktop': { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  'dark-desktop': { colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
  'light-phone': { colorScheme: 'light', viewport: { width: 375, height: 812 }, isMobile: true },
  'dark-phone': { colorScheme: 'dark', viewport: { width: 375, height: 812 }, isMobile: true },
};

const folder = process.env.PICTURES;
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const browser = await launch();
const ada = await person('ada', { first_name: 'Ada', last_name: 'Lovelace' });
const grace = await acting();
for (const [variant, options] of Object.entries(VARIANTS)) {
  const scale = { deviceScaleFactor: options.isMobile ? 2 : 1 };
  const inside = await windowOf(browser, ada, { ...options, ...scale });
  const outside = await windowOf(browser, null, { ...options, ...scale });
  const ofAcme = await windowOf(browser, grace, { ...options, ...scale });
  for (const one of PAGES) {
    const page = await (one.acting ? ofAcme : one.signedIn ? inside : outside).newPage();
    await visit(page, SITE, one);
    await page.screenshot({ path: `${folder}/${one.name}-${variant}.png` });
    await page.close();
  }
  await Promise.all([inside.close(), outside.close(), ofAcme.close()]);
}
await browser.close();
