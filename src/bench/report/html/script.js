// Shows the values beside the pointer in the legends. Charts over time share the pointer. The page is complete without this.
// There is no less-than sign and no ampersand here: the page is also well-formed XML.
(function () {
  "use strict";
  var WIDTH = 440;
  var NEAR = 4;
  var charts = [];
  var pointed = null;
  document.documentElement.classList.add("scripted");

  function list(node, name) {
    var text = node.getAttribute(name);
    return text ? text.split("|") : [];
  }

  function row(item) {
    return {
      x: list(item, "data-x").map(Number),
      at: list(item, "data-at"),
      value: list(item, "data-value"),
      output: item.querySelector("output")
    };
  }

  function chart(figure) {
    return {
      figure: figure,
      kind: figure.getAttribute("data-x"),
      svg: figure.querySelector("svg"),
      pointer: figure.querySelector(".pointer"),
      at: figure.querySelector("figcaption output"),
      rows: Array.prototype.map.call(figure.querySelectorAll("li[data-x]"), row)
    };
  }

  function nearest(values, x) {
    var best = -1;
    values.forEach(function (value, index) {
      if (best === -1 || Math.abs(values[best] - x) > Math.abs(value - x)) best = index;
    });
    return best;
  }

  function show(chart, x) {
    var found = null;
    chart.rows.forEach(function (row) {
      var index = nearest(row.x, x);
      if (index === -1) return;
      var distance = Math.abs(row.x[index] - x);
      if (found === null || found.distance > distance) {
        found = { distance: distance, x: row.x[index], at: row.at[index] };
      }
    });
    if (found === null) return;
    chart.rows.forEach(function (row) {
      var index = nearest(row.x, found.x);
      var isThere = index !== -1 ? NEAR > Math.abs(row.x[index] - found.x) : false;
      row.output.textContent = isThere ? row.value[index] : "–";
    });
    chart.at.textContent = "at " + found.at;
    chart.pointer.setAttribute("transform", "translate(" + found.x + ")");
    chart.figure.classList.add("pointed");
    chart.position = found.x;
  }

  function hide(chart) {
    chart.rows.forEach(function (row) { row.output.textContent = ""; });
    chart.at.textContent = "";
    chart.figure.classList.remove("pointed");
  }

  function linked(chart) {
    return charts.filter(function (other) {
      return other === chart || (chart.kind === "Seconds" ? other.kind === "Seconds" : false);
    });
  }

  function showAll(chart, x) {
    pointed = { index: charts.indexOf(chart), x: x };
    linked(chart).forEach(function (other) { show(other, x); });
  }

  function next(chart, direction) {
    var from = chart.position === undefined ? 0 : chart.position;
    var ahead = [];
    chart.rows.forEach(function (row) {
      row.x.forEach(function (x) { if ((x - from) * direction > 0.05) ahead.push(x); });
    });
    return ahead.length ? ahead[nearest(ahead, from)] : from;
  }

  function hideAll(chart) {
    pointed = null;
    linked(chart).forEach(hide);
  }

  function listen(chart) {
    function follow(event) {
      var box = chart.svg.getBoundingClientRect();
      showAll(chart, (event.clientX - box.left) * WIDTH / box.width);
    }
    chart.svg.addEventListener("pointermove", follow);
    chart.svg.addEventListener("pointerdown", follow);
    chart.svg.addEventListener("pointerleave", function () { hideAll(chart); });
    chart.figure.addEventListener("keydown", function (event) {
      var direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (direction) {
        showAll(chart, next(chart, direction));
        event.preventDefault();
      }
      if (event.key === "Escape") hideAll(chart);
    });
  }

  // A page of a run in progress replaces its charts.
  function start() {
    charts = Array.prototype.map.call(document.querySelectorAll("figure.chart"), chart);
    charts.forEach(listen);
    if (pointed ? charts[pointed.index] : false) showAll(charts[pointed.index], pointed.x);
  }

  document.addEventListener("renewed", start);
  start();
})();
