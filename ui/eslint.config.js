import tseslint from 'typescript-eslint';

const COLOUR = /#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch|oklab|lab|lch)a?\(/i;
/** Attributes whose text a person reads or hears. */
const READ = new Set(['aria-label', 'aria-description', 'alt', 'placeholder', 'title']);
const hasWords = (text) => /\p{L}{2,}/u.test(text);

/** Rules of our own: every text comes from i18n, every colour from the tokens. */
const podgate = {
  rules: {
    'no-raw-text': {
      meta: { type: 'problem', schema: [], messages: { text: 'Take this text from i18n.' } },
      create: (context) => ({
        JSXText(node) {
          if (hasWords(node.value) && node.value.trim() !== 'Podgate') context.report({ node, messageId: 'text' });
        },
        JSXAttribute(node) {
          const { value } = node;
          const text = value?.type === 'Literal' ? value.value : value?.expression?.value;
          if (READ.has(node.name.name) && typeof text === 'string' && hasWords(text)) {
            context.report({ node, messageId: 'text' });
          }
        },
      }),
    },
    'no-raw-colour': {
      meta: { type: 'problem', schema: [], messages: { colour: 'Take this colour from styles/tokens.css.' } },
      create: (context) => ({
        Literal(node) {
          if (typeof node.value === 'string' && COLOUR.test(node.value)) context.report({ node, messageId: 'colour' });
        },
        TemplateElement(node) {
          if (COLOUR.test(node.value.raw)) context.report({ node, messageId: 'colour' });
        },
      }),
    },
  },
};

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'test-results', 'src/api/schema.d.ts', 'src/boot.js', 'scripts', 'eslint.config.js'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { podgate },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      // A type parameter that only names the answer is what `call` is for.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'podgate/no-raw-colour': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'JSXAttribute[name.name="dangerouslySetInnerHTML"]', message: 'Nothing from a cluster is HTML.' },
        { selector: 'MemberExpression[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML)$/]', message: 'Nothing from a cluster is HTML.' },
        { selector: 'JSXAttribute[name.name="target"]', message: 'A link that leaves has its own component, which sets noopener.' },
      ],
    },
  },
  { files: ['src/**/*.tsx'], rules: { 'podgate/no-raw-text': 'error' } },
);
