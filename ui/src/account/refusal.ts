import { useTranslation } from 'react-i18next';

import { ApiError } from '../api/client';
import { useSentence } from '../app/messages';
import { language } from '../i18n';

/**
 * Returns the sentence for a refused log-in.
 *
 * @param wrong The sentence for a wrong password.
 */
export function useRefusal(wrong: 'login.wrong' | 'over.wrong' = 'login.wrong'): (error: unknown) => string {
  const { t } = useTranslation();
  const sentence = useSentence();
  return (error) => {
    if (!(error instanceof ApiError)) return sentence(error);
    if (error.code === 401_001) return t(wrong);
    if (error.code === 401_004) return t('login.locked');
    if (error.code === 429_001 && error.retryAt !== undefined) {
      const time = new Intl.DateTimeFormat(language(), { hour: '2-digit', minute: '2-digit' });
      // The next full minute, because the wait is not over before it.
      return t('login.tooMany', { time: time.format(new Date(error.retryAt.getTime() + 59_999)) });
    }
    return sentence(error);
  };
}
