localStorage.setItem('plexi-page-key', document.querySelector('[name=page-key]').content);
location.replace('/console/queues');
