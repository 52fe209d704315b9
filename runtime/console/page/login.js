const form = document.querySelector('form');
const problem = document.querySelector('[role=alert]');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const credential = new FormData(form).get('credential').trim();
  problem.textContent = '';
  const answer = await fetch('/console/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ credential }),
  }).catch(() => undefined);
  if (answer?.ok) {
    const { location: next, pageKey } = await answer.json();
    localStorage.setItem('plexi-page-key', pageKey);
    location.assign(next);
    return;
  }
  const { detail } = (await answer?.json().catch(() => undefined)) ?? {};
  problem.textContent = detail ?? 'The host does not answer.';
});
