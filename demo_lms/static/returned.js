// Leaves the picker's frame for the course; without script the person follows the link.
window.top.location.replace(document.getElementById("back").href);
