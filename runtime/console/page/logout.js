const button = document.querySelector('button');
const problem = document.querySelector('[role=alert]');

button.addEventListener('click', async () => {
  const answer = await fetch('/console/logout', { method: 'POST' }).catch(() => undefined);
  if (answer?.ok) {
    localStorage.removeItem('plexi-page-key');
    location.assign('/console/login');
  } else problem.textContent = 'The host does not answer; you are still signed in.';
});
