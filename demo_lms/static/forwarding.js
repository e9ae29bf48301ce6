// A frame beside the tool's: what the tool says to it is answered as if said to the launch page.
window.addEventListener("message", (event) => window.parent.answerTool(event));
