// Runs before the first paint: a stored theme, density and language apply without a flash. It is a
// classic script of its own, because the content security policy forbids inline ones.
(function () {
  var root = document.documentElement;
  function stored(name, words) {
    try {
      var value = localStorage.getItem('podgate.' + name);
      return words.indexOf(value) < 0 ? null : value;
    } catch {
      return null;
    }
  }
  var theme = stored('theme', ['light', 'dark']);
  var density = stored('density', ['compact', 'roomy']);
  var language = stored('language', ['en', 'zh']);
  if (theme) root.dataset.theme = theme;
  if (density) root.dataset.density = density;
  root.lang = language || (/^zh\b/i.test(navigator.language) ? 'zh' : 'en');
})();
