// Displays each report that the server sends, up to the last one. There is no less-than sign and no ampersand here, as in the
// script of the charts.
(function () {
  "use strict";
  var MOST_FAILURES = 5;
  var report = document.getElementById("report");
  var connection = document.getElementById("connection");
  var failures = 0;

  // The first line is the title of the page.
  function show(data) {
    var end = data.indexOf("\n");
    var parsed = new DOMParser().parseFromString(data.slice(end + 1), "text/html");
    document.title = data.slice(0, end);
    report.replaceChildren.apply(report, Array.from(parsed.body.childNodes));
    document.dispatchEvent(new Event("renewed"));
  }

  function listen() {
    var source = new EventSource("events");
    source.addEventListener("report", function (event) {
      failures = 0;
      connection.textContent = "";
      show(event.data);
    });
    source.addEventListener("end", function (event) {
      source.close();
      show(event.data);
      connection.textContent = "The run has ended. This is its report.";
    });
    source.onerror = function () {
      source.close();
      failures += 1;
      if (failures > MOST_FAILURES) {
        connection.textContent = "mq does not answer any more. Reload the page to try again.";
        return;
      }
      connection.textContent = "The connection was lost. Trying again.";
      setTimeout(listen, 1000 * Math.pow(2, failures - 1));
    };
  }

  listen();
})();
