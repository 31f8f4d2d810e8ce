import '@fontsource-variable/inter/wght.css';
import './styles/tokens.css';
import './styles/base.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './app/App';
import { start } from './i18n';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element #root');
await start();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
