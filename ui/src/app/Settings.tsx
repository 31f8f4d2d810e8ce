import { Menu } from '@base-ui/react/menu';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { LANGUAGES, type Language, language, setLanguage } from '../i18n';
import { Icon } from './icons';
import styles from './Settings.module.css';
import { THEMES, type Theme, setTheme, theme } from './theme';

const THEME_WORDS = {
  system: 'settings.themeSystem',
  light: 'settings.themeLight',
  dark: 'settings.themeDark',
} as const;

/** The corner with the menus of language and theme. */
export function Settings() {
  const { t } = useTranslation();
  const [chosenTheme, chooseTheme] = useState(theme);
  return (
    <div className={styles.corner}>
      <Choice<Language>
        icon={<Icon name="globe" />}
        label={LANGUAGES[language()]}
        name={t('settings.language')}
        value={language()}
        items={Object.entries(LANGUAGES).map(([value, label]) => ({ value: value as Language, label, lang: value }))}
        onChange={(value) => void setLanguage(value)}
      />
      <Choice<Theme>
        icon={<Icon name="moon" />}
        label={t('settings.theme')}
        name={t('settings.theme')}
        value={chosenTheme}
        items={THEMES.map((value) => ({ value, label: t(THEME_WORDS[value]) }))}
        onChange={(value) => {
          setTheme(value);
          chooseTheme(value);
        }}
      />
    </div>
  );
}

interface ChoiceProps<Value extends string> {
  icon: ReactNode;
  /** The visible text of the button. */
  label: string;
  /** The name of the choice, for a screen reader. */
  name: string;
  value: Value;
  items: { value: Value; label: string; lang?: string }[];
  onChange: (value: Value) => void;
}

/** A button with a menu of which one item is chosen. */
function Choice<Value extends string>({ icon, label, name, value, items, onChange }: ChoiceProps<Value>) {
  return (
    <Menu.Root>
      <Menu.Trigger className={styles.trigger} aria-label={name === label ? undefined : `${name}: ${label}`}>
        {icon}
        {label}
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner side="top" align="end" sideOffset={6}>
          <Menu.Popup className={styles.menu}>
            <Menu.RadioGroup value={value} onValueChange={onChange}>
              {items.map((item) => (
                <Menu.RadioItem
                  key={item.value}
                  value={item.value}
                  className={styles.item}
                  lang={item.lang}
                  closeOnClick
                >
                  {item.label}
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
