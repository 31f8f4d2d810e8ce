/** The page's sentences in English. The keys of every other language are those of this file. */
export const en = {
  app: {
    name: 'Podgate',
    skip: 'Skip to the content',
  },
  login: {
    title: 'Log in',
    username: 'User name',
    password: 'Password',
    submit: 'Log in',
    sending: 'Logging in…',
    firstStart: 'First start? The server printed the password of <admin>admin</admin>.',
    wrong: 'Wrong user name or password.',
    locked: 'This account is disabled.',
    tooMany: 'Too many wrong passwords from this network. Try again at {{time}}.',
    usernameMissing: 'Enter your user name.',
    passwordMissing: 'Enter your password.',
  },
  account: {
    title: 'Account',
    loggedInAs: 'You are logged in as {{name}}.',
    username: 'User name',
    email: 'Mail address',
    noEmail: 'None',
    role: 'Role',
    logOut: 'Log out',
    loggingOut: 'Logging out…',
  },
  settings: {
    language: 'Language',
    theme: 'Theme',
    themeSystem: 'As the system',
    themeLight: 'Light',
    themeDark: 'Dark',
  },
  error: {
    notConnected: 'Not connected. Podgate does not answer at this address.',
    fault: 'That is our fault. Request {{request}}; give it to whoever runs Podgate.',
    noPage: 'There is no page {{path}}.',
    toStart: 'To the start',
    again: 'Try again',
  },
} as const;

/** The sentences of a language: the keys of {@link en}, with texts of its own. */
export type Sentences = { [Group in keyof typeof en]: { [Key in keyof (typeof en)[Group]]: string } };
