// Sets the theme before the first paint. A file of its own, so that the content policy needs no inline exception.
(function () {
	var chosen = null;
	try {
		chosen = localStorage.getItem('theme');
	} catch (denied) {
		chosen = null;
	}
	var light = chosen === 'light' || (chosen === 'system' && matchMedia('(prefers-color-scheme: light)').matches);
	document.documentElement.dataset.theme = light ? 'light' : 'dark';
})();
