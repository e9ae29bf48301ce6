// Sends the page's one form on at once; without script the person presses "Continue".
document.getElementById("onward").submit();
