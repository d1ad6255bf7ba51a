//<![CDATA[
// Draws the rows of the page's data as a ladder. Only the visible rows are in the document, so that thousands of rows stay
// smooth. All texts of others become text nodes. The page is complete without this, as a diagnosis and a list.
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http:" + "//www.w3.org/2000/svg";
  const rows = data.rows;
  const total = rows.type.length;
  const byId = function (id) { return document.getElementById(id); };
  document.documentElement.classList.add("scripted");
  document.body.classList.add("scripted");

  // Clients and columns

  const NARROW = 560;
  const names = data.types;
  const typeOf = function (row) { return names[rows.type[row]]; };
  const connectionOf = function (row) { return data.connections[rows.connection[row]]; };
  const clientOf = function (row) { return connectionOf(row).client; };
  const times = rows.time_us.map(function (time) { return time === null ? NaN : time; });
  const known = times.filter(function (time) { return !Number.isNaN(time); });
  const first = known.reduce(function (a, b) { return Math.min(a, b); }, Infinity);
  const last = known.reduce(function (a, b) { return Math.max(a, b); }, -Infinity);
  const hasTimes = known.length > 0;
  const RANK = { info: 1, warn: 2, error: 3 };
  const clients = data.clients.map(function (client, index) {
    return { index: index, name: client.name, identified: client.identified, rows: 0, rank: 0, problems: 0, connections: [] };
  });
  data.connections.forEach(function (connection) { clients[connection.client].connections.push(connection); });
  // Connections of one client at the same time are beside each other.
  clients.forEach(function (client) {
    const ends = [];
    const opened = function (connection) { return connection.opened_us === null ? -1 : connection.opened_us; };
    client.connections.sort(function (a, b) { return opened(a) - opened(b) || a.number - b.number; });
    client.connections.forEach(function (connection) {
      let lane = ends.findIndex(function (end) { return end <= opened(connection); });
      if (lane < 0) lane = ends.length;
      ends[lane] = connection.closed_us === null ? Infinity : connection.closed_us;
      connection.lane = lane;
    });
  });

  const marks = new Map();
  function mark(row, severity, text, problem) {
    const here = marks.get(row) || { rank: 0, severity: "info", texts: [], problems: [] };
    here.texts.push(severity + ": " + text);
    if (problem !== undefined) here.problems.push(problem);
    if (RANK[severity] > here.rank) { here.rank = RANK[severity]; here.severity = severity; }
    marks.set(row, here);
    const client = clients[clientOf(row)];
    client.problems += 1;
    // A problem of the diagnosis matters more than a finding about one packet.
    client.rank = Math.max(client.rank, RANK[severity] * 2 + (problem === undefined ? 0 : 1));
  }
  data.problems.forEach(function (problem, index) {
    problem.rows.forEach(function (row) { mark(row, problem.severity, problem.text, index); });
  });
  data.findings.forEach(function (finding) {
    mark(finding.row, finding.severity, finding.statement + ", " + finding.detail + "; " + finding.hint);
  });
  for (let row = 0; row < total; row += 1) if (typeOf(row) !== "omission") {
    clients[clientOf(row)].rows += 1;
    if (typeOf(row) === "open") connectionOf(row).openRow = row;
    if (typeOf(row) === "close" && connectionOf(row).closeRow === undefined) connectionOf(row).closeRow = row;
  }
  const ranked = clients.filter(function (client) { return client.rows > 0; });
  ranked.sort(function (a, b) { return b.rank - a.rank || b.rows - a.rows || a.index - b.index; });

  // State

  const view = byId("view");
  const state = {
    chosen: null, hidden: new Set(), text: "", marked: false, from: first, to: last, height: 24, row: -1
  };
  let shown = new Int32Array(0);
  let places = new Map();
  let layout = null;

  function width() { return Math.max(280, view.clientWidth); }
  function isNarrow() { return width() < NARROW; }

  function room() {
    const all = width() - (isNarrow() ? 84 : 104) - (isNarrow() ? 0 : Math.min(460, width() * 0.33));
    return Math.max(1, Math.min(12, Math.floor(all / (isNarrow() ? 66 : 88)) - 1));
  }

  function mostRelevant(isWanted) {
    // At least two of the columns are for clients, also on a phone, where the ladder scrolls.
    return ranked.filter(isWanted || Boolean).slice(0, Math.max(3, room())).map(function (client) { return client.index; });
  }

  // Which rows are shown

  function matches(row) {
    // What the page leaves out concerns all clients.
    if (typeOf(row) === "omission") return !state.marked && state.text === "" && !(times[row] < state.from || times[row] > state.to);
    return layout.columns.has(clientOf(row)) && isWanted(row) && (state.text === "" || hasText(row));
  }

  // Whether type, mark and time of a row are selected.
  function isWanted(row) {
    if (state.hidden.has(typeOf(row))) return false;
    if (state.marked && !marks.has(row)) return false;
    const time = times[row];
    return !(hasTimes && (time < state.from || time > state.to));
  }

  // A silence is much longer than the usual time between rows. It takes one row, however long it is.
  function longSilence(list) {
    const gaps = [];
    for (let at = 1; at < list.length; at += 1) gaps.push(times[list[at]] - times[list[at - 1]]);
    gaps.sort(function (a, b) { return a - b; });
    const usual = gaps[Math.floor(gaps.length * 0.9)] || 0;
    return Math.max(200000, usual * 4);
  }

  // The text of a row that a search compares.
  const searched = new Map();
  function hasText(row) {
    if (!searched.has(row)) {
      const connection = connectionOf(row);
      const text = [typeOf(row), rows.text[row], clients[connection.client].name, connection.address || "", "#" + connection.number];
      searched.set(row, text.join(" ").toLowerCase());
    }
    return searched.get(row).includes(state.text);
  }

  // A search finds the rows of all clients, unless clients were chosen.
  function found() {
    const own = new Set();
    for (let row = 0; row < total; row += 1) {
      if (typeOf(row) !== "omission" && isWanted(row) && hasText(row)) own.add(clientOf(row));
    }
    return own;
  }

  function select() {
    const matching = state.text === "" ? null : found();
    arrange(matching);
    const list = [];
    for (let row = 0; row < total; row += 1) if (matches(row)) list.push(row);
    const limit = longSilence(list);
    const entries = [];
    list.forEach(function (row, at) {
      const isSilence = at > 0 && times[row] - times[list[at - 1]] >= limit;
      if (isSilence && typeOf(row) !== "omission") entries.push(-row - 1);
      entries.push(row);
    });
    shown = Int32Array.from(entries);
    places = new Map();
    entries.forEach(function (entry, place) { if (entry >= 0) places.set(entry, place); });
    const others = ranked.length - layout.clients.length;
    const hidden = matching === null ? 0 : Array.from(matching).filter(function (client) { return !layout.columns.has(client); }).length;
    byId("others").textContent = hidden === 0 ? "" : "The text also occurs at " + plural(hidden, "client") + " without a column; choose them under Clients.";
    byId("count").textContent = plural(list.length, "row") + " of " + total + (others > 0 ? "; " + layout.clients.length + " of " + ranked.length + " clients" : "");
    byId("clients-button").textContent = "Clients (" + layout.clients.length + " of " + ranked.length + ")";
    drawHead();
    byId("rows").style.height = shown.length * state.height + "px";
    drawOverview();
    draw();
  }

  // Positions of the columns: the servers, and then the clients

  function arrange(matching) {
    const relevant = matching === null ? mostRelevant() : mostRelevant(function (client) { return matching.has(client.index); });
    const chosen = state.chosen || relevant;
    const servers = new Set();
    const kept = chosen.filter(function (client) { return clients[client].rows > 0; });
    kept.forEach(function (client) {
      clients[client].connections.forEach(function (connection) { servers.add(connection.server); });
    });
    const serverList = Array.from(servers).sort(function (a, b) { return (a === null ? 1e9 : a) - (b === null ? 1e9 : b); });
    const narrow = isNarrow();
    const left = narrow ? 70 : 104;
    const count = serverList.length + kept.length;
    const textWidth = narrow ? 0 : Math.max(240, Math.min(460, width() * 0.33));
    const step = Math.max(narrow ? 66 : 88, Math.min(260, (width() - left - textWidth - 24) / Math.max(1, count)));
    const x = function (place) { return left + step * (place + 0.5); };
    layout = {
      narrow: narrow, left: left, step: step, clients: kept, servers: serverList,
      columns: new Map(kept.map(function (client, place) { return [client, x(serverList.length + place)]; })),
      server: new Map(serverList.map(function (server, place) { return [server, x(place)]; })),
      text: left + step * count + 12,
      width: Math.max(width(), left + step * count + textWidth + 16)
    };
    layout.textWidth = layout.width - layout.text - 6;
  }

  // Drawing

  const LANES = 4;
  const LANE = 9;
  function clientX(connection) { return layout.columns.get(connection.client) + connection.lane % LANES * LANE; }

  function element(name, attributes, children) {
    const node = document.createElementNS(SVG, name);
    Object.keys(attributes || {}).forEach(function (key) { node.setAttribute(key, attributes[key]); });
    (children || []).forEach(function (child) { node.appendChild(child); });
    return node;
  }

  function words(text, x, y, kind) {
    const node = element("text", { x: x, y: y, "class": kind || "" });
    node.textContent = text;
    return node;
  }

  const pen = document.createElement("canvas").getContext("2d");
  pen.font = "12px system-ui,sans-serif";
  function fitted(text, most) {
    if (pen.measureText(text).width <= most) return text;
    let low = 0;
    let high = Math.min(text.length, 400);
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (pen.measureText(text.slice(0, middle) + "…").width <= most) low = middle; else high = middle;
    }
    const kept = text.slice(0, low);
    // The mark belongs to the text around a name that is cut.
    return kept + (kept.lastIndexOf("\u2068") > kept.lastIndexOf("\u2069") ? "\u2069" : "") + "…";
  }

  // Names in quotes that are written from right to left do not reorder the text around them.
  const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]|[\ud802\ud803\ud83a\ud83b]/;
  function isolated(name) { return RIGHT_TO_LEFT.test(name) ? "\u2068" + name + "\u2069" : name; }
  function withIsolatedNames(text) {
    return RIGHT_TO_LEFT.test(text) ? text.replace(/"(?:[^"\\]|\\.)*("|$)/g, isolated) : text;
  }

  function plural(count, noun) { return count + " " + noun + (count === 1 ? "" : "s"); }

  function two(number) { return String(number).padStart(2, "0"); }

  function clock(time, digits) {
    const all = data.start_us + time + data.zone_seconds * 1e6;
    const seconds = Math.floor(all / 1e6);
    const fraction = String(Math.floor(all - seconds * 1e6)).padStart(6, "0").slice(0, digits);
    return two(Math.floor(seconds / 3600) % 24) + ":" + two(Math.floor(seconds / 60) % 60) + ":" + two(seconds % 60) + "." + fraction;
  }

  function duration(us) {
    if (us < 1000) return Math.round(us) + " µs";
    if (us < 1e6) return (us / 1000).toFixed(us < 1e4 ? 2 : 0) + " ms";
    if (us < 6e7) return (us / 1e6).toFixed(us < 1e7 ? 2 : 1) + " s";
    const seconds = Math.round(us / 1e6);
    if (seconds < 3600) return Math.floor(seconds / 60) + " min " + seconds % 60 + " s";
    return Math.floor(seconds / 3600) + " h " + Math.floor(seconds / 60) % 60 + " min";
  }

  const FAMILIES = {
    CONNECT: "session", CONNACK: "session answer", DISCONNECT: "session", AUTH: "session",
    PUBLISH: "message", PUBACK: "message answer", PUBREC: "message answer", PUBREL: "message answer", PUBCOMP: "message answer",
    SUBSCRIBE: "subscription", SUBACK: "subscription answer", UNSUBSCRIBE: "subscription", UNSUBACK: "subscription answer",
    PINGREQ: "ping", PINGRESP: "ping", RESERVED: "tcp", open: "tcp", close: "tcp", end: "tcp", note: "tcp", gap: "gap"
  };

  function sign(severity, x, y) {
    const shape = {
      error: "M-6,-3 L-3,-6 L3,-6 L6,-3 L6,3 L3,6 L-3,6 L-6,3 Z", warn: "M0,-6 L6.5,5.5 L-6.5,5.5 Z", info: "M-5,0 A5,5 0 1 1 5,0 A5,5 0 1 1 -5,0 Z"
    }[severity];
    const group = element("g", { transform: "translate(" + x + "," + y + ")" }, [element("path", { d: shape, "class": severity + "-mark" })]);
    if (severity !== "info") group.appendChild(words("!", 0, severity === "warn" ? 4.2 : 3.2, "sign middle"));
    return group;
  }

  function lifelines(from, to, height) {
    const group = element("g");
    layout.server.forEach(function (x) { group.appendChild(element("path", { d: "M" + x + ",0 V" + height, "class": "life" })); });
    layout.clients.forEach(function (client) {
      const x = layout.columns.get(client);
      group.appendChild(element("path", { d: "M" + x + ",0 V" + height, "class": "idle" }));
      let path = "";
      clients[client].connections.forEach(function (connection) {
        const x = clientX(connection);
        const start = connection.opened_us === null ? -1 : placeAt(connection.openRow, connection.opened_us);
        const end = connection.closed_us === null ? shown.length : placeAt(connection.closeRow, connection.closed_us) + 0.5;
        const top = Math.max(from, start + 0.5);
        const bottom = Math.min(to, end);
        if (bottom > top) path += "M" + x + "," + (top - from) * state.height + " V" + (bottom - from) * state.height;
      });
      if (path !== "") group.appendChild(element("path", { d: path, "class": "life" }));
    });
    return group;
  }

  // Other rows may have the same time.
  function placeAt(row, time) { return places.has(row) ? places.get(row) : placeOf(time); }

  // The place of the first shown row at this time or later.
  function placeOf(time) {
    let low = 0;
    let high = shown.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = shown[middle];
      if (times[entry < 0 ? -entry - 1 : entry] >= time) high = middle; else low = middle + 1;
    }
    while (low < shown.length && shown[low] < 0) low += 1;
    return low;
  }

  function arrow(from, to, y) {
    const toward = to > from ? 1 : -1;
    return [
      element("path", { d: "M" + from + "," + y + " H" + (to - 7 * toward), "class": "arrow" }),
      element("path", { d: "M" + to + "," + y + " l" + -9 * toward + ",-4 v8 Z", "class": "head" })
    ];
  }

  function shape(row, y) {
    const connection = connectionOf(row);
    const client = clientX(connection);
    const server = layout.server.get(connection.server);
    const direction = rows.direction[row];
    const type = typeOf(row);
    const ends = direction === 1 ? [server, client] : [client, server];
    if (type === "open" || type === "end" || type === "note") {
      const isStart = type === "open";
      const isMidway = isStart && connection.opened_us === null;
      const filled = { cx: client, cy: y, r: 4, "class": "head" };
      const hollow = { cx: client, cy: y, r: 4, "class": "arrow solid hollow" };
      return [element("circle", isStart && !isMidway ? filled : hollow)];
    }
    if (type === "close") {
      const at = direction === 1 ? server : client;
      const cross = element("path", { d: "M" + (client - 5) + "," + (y - 5) + " l10,10 m0,-10 l-10,10", "class": "arrow solid" });
      return direction === 2 ? [cross] : arrow(at, at === client ? server : client, y).concat([cross]);
    }
    if (type === "gap") {
      const low = Math.min(client, server);
      const height = Math.max(3, Math.min(12, state.height - 4));
      const bar = { x: low, y: y - height / 2, width: Math.abs(client - server), height: height, "class": "hatch" };
      return [element("rect", bar)];
    }
    return arrow(ends[0], ends[1], y);
  }

  function label(row) {
    const connection = connectionOf(row);
    const round = rows.round_trip_ns[row];
    const type = typeOf(row);
    const isPacket = type === type.toUpperCase();
    const isOneOfMany = clients[connection.client].connections.length > 1;
    const parts = [(isOneOfMany ? "#" + connection.number + " " : "") + (isPacket ? type + " " : "") + withIsolatedNames(rows.text[row])].map(function (text) { return text.trim(); });
    if (round !== null) parts.push("after " + duration(round / 1000));
    return { connection: connection, isPacket: isPacket, type: type, text: parts.join(", ") };
  }

  function drawOmission(row, place, from) {
    const y = (place - from + 0.5) * state.height;
    const parts = [element("line", { x1: layout.left, x2: layout.narrow ? layout.width : layout.text - 8, y1: y, y2: y })];
    if (state.height >= 13) parts.push(words("✂ " + rows.text[row], layout.narrow ? 20 : layout.text, y + 4, "under"));
    return element("g", { "class": "silence omission" }, parts);
  }

  function drawRow(row, place, from) {
    if (typeOf(row) === "omission") return drawOmission(row, place, from);
    const top = (place - from) * state.height;
    const h = state.height;
    const narrow = layout.narrow && h >= 24;
    const y = top + (narrow ? h * 0.36 : h / 2);
    const here = marks.get(row);
    const kinds = ["row", FAMILIES[typeOf(row)] || "tcp"];
    if (here) kinds.push({ error: "bad", warn: "doubtful", info: "noted" }[here.severity]);
    if (row === state.row) kinds.push("chosen");
    const box = { x: 1, y: top, width: layout.width - 2, height: h };
    const group = element("g", { "class": kinds.join(" "), "data-row": row }, [
      element("rect", Object.assign({ "class": "back" }, box)), element("rect", Object.assign({ "class": "hover" }, box))
    ]);
    shape(row, y).forEach(function (part) { group.appendChild(part); });
    if (h >= 13) {
      if (!Number.isNaN(times[row])) group.appendChild(words(layout.narrow ? clock(times[row], 3).slice(3) : clock(times[row], 3), layout.narrow ? 20 : 22, y + 4, "time"));
      const parts = label(row);
      const client = layout.columns.get(parts.connection.client);
      if (parts.isPacket && h >= 20) {
        const server = layout.server.get(parts.connection.server);
        const middle = (client + server) / 2;
        const text = fitted(parts.type, Math.abs(client - server) - 14);
        // On a phone, the text below has the type.
        if (text === parts.type || (!layout.narrow && text.length > 3)) group.appendChild(words(text, middle, y - 4, "label middle"));
      }
      if (narrow) group.appendChild(words(fitted(parts.text, layout.width - 30), 20, top + h - 5, "under"));
      if (!layout.narrow) group.appendChild(words(fitted(parts.text, layout.textWidth), layout.text, y + 4, ""));
    }
    if (here) group.appendChild(sign(here.severity, 10, y));
    return group;
  }

  function drawSilence(entry, place, from) {
    const y = (place - from + 0.5) * state.height;
    const row = -entry - 1;
    let before = place - 1;
    while (before > 0 && shown[before] < 0) before -= 1;
    const time = times[row] - times[shown[before]];
    const parts = [element("line", { x1: layout.left, x2: layout.width, y1: y, y2: y })];
    if (state.height >= 13) parts.push(words("⋮ " + duration(time), layout.narrow ? 20 : 22, y + 4, ""));
    return element("g", { "class": "silence" }, parts);
  }

  function pair(from) {
    const round = state.row < 0 ? null : rows.round_trip_ns[state.row];
    if (round === null || !places.has(state.row)) return null;
    const request = requestOf(state.row);
    if (request < 0 || !places.has(request)) return null;
    const connection = connectionOf(state.row);
    // The answer's receiver waited.
    const x = rows.direction[state.row] === 1 ? clientX(connection) : layout.server.get(connection.server);
    const y = function (row) { return (places.get(row) - from + 0.5) * state.height; };
    return element("path", { d: "M" + x + "," + y(request) + " V" + y(state.row), "class": "pair" });
  }

  // The row that this one answers: of the other direction, at the time that the round trip says.
  function requestOf(row) {
    const time = times[row] - rows.round_trip_ns[row] / 1000;
    for (let other = row - 1; other >= 0; other -= 1) {
      if (times[other] < time - 2) return -1;
      const isRequest = rows.connection[other] === rows.connection[row] && rows.direction[other] === 1 - rows.direction[row];
      if (isRequest && Math.abs(times[other] - time) <= 2) return other;
    }
    return -1;
  }

  // One pattern for all pictures, in an element that is never hidden.
  function addHatch() {
    const stripes = element("path", { d: "M0,6 L6,0", "stroke-width": 1.2 });
    const pattern = element("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse" }, [stripes]);
    document.body.appendChild(element("svg", { "class": "hatch-source", width: 0, height: 0 }, [element("defs", {}, [pattern])]));
  }

  function picture(from, to) {
    const height = (to - from) * state.height;
    const svg = element("svg", { width: layout.width, height: height, viewBox: "0 0 " + layout.width + " " + height });
    svg.appendChild(lifelines(from, to, height));
    for (let place = from; place < to; place += 1) {
      const entry = shown[place];
      svg.appendChild(entry < 0 ? drawSilence(entry, place, from) : drawRow(entry, place, from));
    }
    const line = pair(from);
    if (line) svg.appendChild(line);
    return svg;
  }

  function visiblePlaces() {
    const top = Math.max(0, view.scrollTop - byId("head").offsetHeight);
    const spare = 8;
    const from = Math.max(0, Math.floor(top / state.height) - spare);
    const to = Math.min(shown.length, Math.ceil((top + view.clientHeight) / state.height) + spare);
    return [from, Math.max(from, to)];
  }

  let isDue = false;
  function drawSoon() {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(function () { isDue = false; draw(); });
  }

  function draw() {
    const [from, to] = visiblePlaces();
    if (shown.length === 0) {
      const text = document.createElement("p");
      text.className = "soft";
      text.style.padding = "1rem";
      text.textContent = total === 0 ? "No packets." : "No rows match. Choose other clients, types or times, or show all.";
      byId("rows").replaceChildren(text);
      byId("rows").style.height = "4rem";
      return;
    }
    const svg = picture(from, to);
    svg.style.top = from * state.height + "px";
    byId("rows").replaceChildren(svg);
    showPeriod(from, to);
  }

  function drawHead() {
    const height = 40;
    const svg = element("svg", { width: layout.width, height: height });
    layout.server.forEach(function (x, server) {
      const name = server === null ? "server" : data.servers[server];
      svg.appendChild(words("broker", x, 16, "middle name"));
      svg.appendChild(words(fitted(name, layout.step - 6), x, 32, "middle soft"));
    });
    layout.clients.forEach(function (client) {
      const x = layout.columns.get(client);
      const here = clients[client];
      const addresses = new Set(here.connections.map(function (connection) { return connection.address ? host(connection.address) : ""; }));
      const title = element("title");
      title.textContent = isolated(here.name) + ", " + Array.from(addresses).join(", ");
      const more = addresses.size > 1 ? " +" + (addresses.size - 1) : "";
      const below = here.identified ? Array.from(addresses)[0] + more : "identifier not seen";
      const name = words(fitted(here.name === "" ? "(empty)" : here.name, layout.step - 6), x, 16, "middle name");
      const parts = [title, name, words(fitted(below, layout.step - 6), x, 32, "middle soft")];
      svg.appendChild(element("g", {}, parts));
    });
    if (!layout.narrow) svg.appendChild(words("packet, round trip", layout.text, 16, "soft"));
    svg.appendChild(words("time", layout.narrow ? 20 : 22, 16, "soft"));
    byId("head").replaceChildren(svg);
    byId("head").style.width = layout.width + "px";
    byId("rows").style.width = layout.width + "px";
  }

  function host(address) {
    const end = address.lastIndexOf(":");
    return end < 0 ? address : address.slice(0, end);
  }

  // The overview: packets over all of the time, with the marks and the selected period

  const OVERVIEW = 54;
  function drawOverview() {
    const box = byId("overview");
    if (!hasTimes) { box.parentNode.hidden = true; return; }
    const wide = Math.max(200, box.clientWidth);
    const span = Math.max(1, last - first);
    const x = function (time) { return 2 + (time - first) / span * (wide - 4); };
    const places = Math.ceil(wide / 3) + 1;
    const every = new Uint32Array(places);
    const own = new Uint32Array(places);
    for (let row = 0; row < total; row += 1) {
      if (Number.isNaN(times[row])) continue;
      const place = Math.floor(x(times[row]) / 3);
      every[place] += 1;
      if (layout.columns.has(clientOf(row))) own[place] += 1;
    }
    const most = every.reduce(function (a, b) { return Math.max(a, b); }, 1);
    const bars = function (counts) {
      let path = "";
      counts.forEach(function (count, place) {
        const tall = Math.max(2, Math.sqrt(count / most) * 30);
        if (count > 0) path += "M" + place * 3 + "," + (OVERVIEW - 4) + " v" + -tall + " h2 v" + tall + " Z";
      });
      return path;
    };
    const svg = element("svg", { viewBox: "0 0 " + wide + " " + OVERVIEW, preserveAspectRatio: "none" });
    svg.appendChild(element("path", { d: "M0," + (OVERVIEW - 4) + " H" + wide, "class": "axis" }));
    svg.appendChild(element("path", { d: bars(every), "class": "others" }));
    svg.appendChild(element("path", { d: bars(own), "class": "bar" }));
    const used = new Map();
    marks.forEach(function (here, row) {
      const place = Math.round(x(times[row]) / 14);
      if (!Number.isNaN(times[row]) && (used.get(place) || 0) < here.rank) used.set(place, here.rank);
    });
    used.forEach(function (rank, place) { svg.appendChild(sign(["", "info", "warn", "error"][rank], Math.max(8, Math.min(wide - 8, place * 14)), 9)); });
    if (state.from > first || state.to < last) {
      const from = x(state.from);
      const to = x(state.to);
      svg.appendChild(element("rect", { x: 0, y: 0, width: Math.max(0, from), height: OVERVIEW, "class": "outside" }));
      svg.appendChild(element("rect", { x: to, y: 0, width: Math.max(0, wide - to), height: OVERVIEW, "class": "outside" }));
      svg.appendChild(element("rect", { x: from, y: 1, width: Math.max(2, to - from), height: OVERVIEW - 2, "class": "brush" }));
    }
    box.replaceChildren(svg);
  }

  function showPeriod(from, to) {
    const visible = [];
    const top = Math.floor(Math.max(0, view.scrollTop) / state.height);
    const bottom = Math.min(shown.length - 1, Math.floor((view.scrollTop + view.clientHeight - byId("head").offsetHeight) / state.height));
    [shown[Math.min(top, shown.length - 1)], shown[Math.max(0, bottom)]].forEach(function (entry) { visible.push(times[entry < 0 ? -entry - 1 : entry]); });
    byId("period").textContent = hasTimes && from < to && !visible.some(Number.isNaN)
      ? clock(visible[0], 3) + " to " + clock(visible[1], 3) + zone() : "";
  }

  function zone() {
    const minutes = Math.round(data.zone_seconds / 60);
    const size = Math.abs(minutes);
    return minutes === 0 ? " UTC" : " UTC" + (minutes < 0 ? "−" : "+") + two(Math.floor(size / 60)) + ":" + two(size % 60);
  }

  function setPeriod(from, to) {
    const least = 1000;
    if (to - from < least) {
      const middle = (from + to) / 2;
      from = middle - least / 2;
      to = middle + least / 2;
    }
    state.from = Math.max(first, from);
    state.to = Math.min(last, to);
    const anchor = state.row;
    select();
    if (places.has(anchor)) reveal(anchor); else view.scrollTop = 0;
    draw();
  }

  function center() {
    if (places.has(state.row)) return times[state.row];
    const place = Math.min(shown.length - 1, Math.floor((view.scrollTop + view.clientHeight / 2) / state.height));
    const entry = shown[Math.max(0, place)];
    return entry === undefined ? (state.from + state.to) / 2 : times[entry < 0 ? -entry - 1 : entry];
  }

  function zoom(factor) {
    const span = (state.to - state.from) * factor;
    if (span >= last - first) return setPeriod(first, last);
    const from = Math.max(first, Math.min(last - span, center() - span / 2));
    setPeriod(from, from + span);
  }

  function pan(share) {
    const span = state.to - state.from;
    const from = Math.max(first, Math.min(last - span, state.from + span * share));
    setPeriod(from, from + span);
  }

  // Selection of a row

  function reveal(row) {
    const place = places.get(row);
    if (place === undefined) return;
    const head = byId("head").offsetHeight;
    const top = place * state.height;
    const isVisible = top >= view.scrollTop && top + state.height <= view.scrollTop + view.clientHeight - head;
    if (!isVisible) view.scrollTop = Math.max(0, top - (view.clientHeight - head) / 2);
    const x = layout.columns.get(clientOf(row));
    if (x > view.scrollLeft + view.clientWidth - 40) view.scrollLeft = x - view.clientWidth / 2;
    if (x < view.scrollLeft + 40) view.scrollLeft = Math.max(0, x - view.clientWidth / 2);
  }

  function choose(row, problem) {
    state.row = row;
    if (row >= 0 && !places.has(row)) uncover(row);
    reveal(row);
    draw();
    describe(row);
    const here = marks.get(row);
    document.querySelectorAll("[data-problem]").forEach(function (item) {
      const index = Number(item.getAttribute("data-problem"));
      const isCurrent = problem === undefined ? Boolean(here && here.problems.includes(index)) : index === problem;
      item.setAttribute("aria-current", String(isCurrent));
    });
  }

  // Undoes what hides a row.
  function uncover(row) {
    if (!layout.columns.has(clientOf(row))) state.chosen = [clientOf(row)].concat(layout.clients).slice(0, Math.max(3, room()));
    state.hidden.delete(typeOf(row));
    if (state.text !== "" || (state.marked && !marks.has(row))) { state.text = ""; state.marked = false; syncControls(); }
    if (times[row] < state.from || times[row] > state.to) { state.from = first; state.to = last; }
    select();
    listClients();
    listTypes();
  }

  function line(parts) {
    const node = document.createElement("div");
    parts.forEach(function (part) {
      const piece = document.createElement(part[0]);
      piece.textContent = part[1];
      node.appendChild(piece);
    });
    return node;
  }

  function describe(row) {
    const box = byId("detail");
    if (row < 0) { box.replaceChildren(line([["span", "Choose a row to see all of it."]])); return; }
    const connection = connectionOf(row);
    const client = isolated(clients[connection.client].name) + (connection.address ? " (" + connection.address + ")" : "");
    const server = connection.server === null ? "server" : data.servers[connection.server];
    const parts = label(row);
    const sides = { 0: client + " → " + server, 1: server + " → " + client, 2: client + ", " + server }[rows.direction[row]];
    const facts = [];
    if (!Number.isNaN(times[row])) facts.push(clock(times[row], 6));
    if (rows.frame[row] > 0) facts.push("frame " + rows.frame[row]);
    facts.push("connection " + connection.number + " (" + data.options.conversation + " " + connection.number + ")");
    if (parts.isPacket) facts.push(plural(rows.length[row], "byte"));
    const nodes = [line([["b", sides]]), line([["span", parts.text]]), line([["span", facts.join(", ")]])];
    nodes[2].className = "soft";
    const here = marks.get(row);
    if (here) {
      const list = document.createElement("ul");
      here.texts.forEach(function (text) {
        const item = document.createElement("li");
        item.textContent = withIsolatedNames(text);
        list.appendChild(item);
      });
      nodes.push(list);
    }
    box.replaceChildren.apply(box, nodes);
  }

  function step(count) {
    if (shown.length === 0) return;
    let place = places.has(state.row) ? places.get(state.row) + count : Math.round(view.scrollTop / state.height);
    place = Math.max(0, Math.min(shown.length - 1, place));
    while (shown[place] < 0) place += count < 0 && place > 0 ? -1 : 1;
    choose(shown[place]);
  }

  function nextMark(count) {
    const list = Array.from(marks.keys()).filter(function (row) { return places.has(row); }).sort(function (a, b) { return a - b; });
    const next = count > 0 ? list.find(function (row) { return row > state.row; }) : list.reverse().find(function (row) { return row < state.row; });
    if (next !== undefined) choose(next);
  }

  // Controls

  function syncControls() {
    byId("text").value = state.text;
    byId("marked").checked = state.marked;
  }

  function listClients() {
    const wanted = byId("client-text").value.toLowerCase();
    const found = ranked.filter(function (client) {
      const addresses = client.connections.map(function (connection) { return connection.address || ""; }).join(" ");
      return (client.name + " " + addresses).toLowerCase().includes(wanted);
    });
    const most = 200;
    const items = found.slice(0, most).map(function (client) {
      const item = document.createElement("li");
      const labelled = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = layout.columns.has(client.index);
      box.addEventListener("change", function () {
        const others = layout.clients.filter(function (other) { return other !== client.index; });
        state.chosen = box.checked ? layout.clients.concat([client.index]) : others;
        select();
      });
      const more = client.problems > 0 ? ", " + plural(client.problems, "mark") : "";
      const text = document.createElement("span");
      text.textContent = (client.name === "" ? "(empty)" : isolated(client.name)) + ": " + plural(client.rows, "row") + more;
      labelled.appendChild(box);
      labelled.appendChild(text);
      item.appendChild(labelled);
      return item;
    });
    byId("client-list").replaceChildren.apply(byId("client-list"), items);
    const rest = found.length > most ? "The first " + most + " of " + found.length + " clients, those with problems first." : plural(found.length, "client") + ", those with problems first.";
    byId("client-count").textContent = rest;
  }

  function listTypes() {
    const items = names.filter(function (name) { return name !== "omission"; }).map(function (name) {
      const labelled = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = !state.hidden.has(name);
      box.addEventListener("change", function () {
        if (box.checked) state.hidden.delete(name); else state.hidden.add(name);
        select();
      });
      labelled.appendChild(box);
      labelled.appendChild(document.createTextNode(name));
      return labelled;
    });
    byId("types").replaceChildren.apply(byId("types"), items);
  }

  function key() {
    const samples = [
      ["session", "CONNECT, DISCONNECT, AUTH", arrow(2, 38, 8)], ["session answer", "its answer", arrow(38, 2, 8)],
      ["message", "PUBLISH", arrow(2, 38, 8)], ["message answer", "acknowledgement", arrow(38, 2, 8)],
      ["subscription", "SUBSCRIBE, UNSUBSCRIBE", arrow(2, 38, 8)], ["ping", "PINGREQ, PINGRESP", arrow(2, 38, 8)],
      ["tcp", "FIN or RST", arrow(2, 38, 8)], ["gap", "not captured or not readable", [element("rect", { x: 2, y: 3, width: 36, height: 10, "class": "hatch" })]],
      ["", "error", [sign("error", 20, 8)]], ["", "warning", [sign("warn", 20, 8)]], ["", "note", [sign("info", 20, 8)]]
    ];
    const items = samples.map(function (sample) {
      const item = document.createElement("li");
      item.appendChild(element("svg", { width: 40, height: 16 }, [element("g", { "class": sample[0] }, sample[2])]));
      item.appendChild(document.createTextNode(sample[1]));
      return item;
    });
    byId("key").replaceChildren.apply(byId("key"), items);
  }

  function toggle(button, panel, list) {
    byId(button).addEventListener("click", function () {
      const isOpen = byId(panel).hidden;
      byId(panel).hidden = !isOpen;
      byId(button).setAttribute("aria-expanded", String(isOpen));
      if (isOpen) list();
    });
  }

  function setHeight(height) {
    const anchor = (view.scrollTop + view.clientHeight / 2) / state.height;
    state.height = Math.max(3, Math.min(40, height));
    byId("height").value = state.height;
    byId("rows").style.height = shown.length * state.height + "px";
    view.scrollTop = anchor * state.height - view.clientHeight / 2;
    if (places.has(state.row)) reveal(state.row);
    draw();
  }

  function showAll() {
    Object.assign(state, { chosen: null, hidden: new Set(), text: "", marked: false, from: first, to: last });
    syncControls();
    select();
    listClients();
    listTypes();
  }

  function listen() {
    toggle("clients-button", "clients", listClients);
    toggle("types-button", "types", listTypes);
    byId("text").addEventListener("input", function () { state.text = byId("text").value.toLowerCase(); select(); });
    byId("client-text").addEventListener("input", listClients);
    byId("marked").addEventListener("change", function () { state.marked = byId("marked").checked; select(); });
    byId("reset").addEventListener("click", showAll);
    byId("clients-default").addEventListener("click", function () { state.chosen = null; select(); listClients(); });
    byId("clients-none").addEventListener("click", function () { state.chosen = []; select(); listClients(); });
    byId("in").addEventListener("click", function () { zoom(0.5); });
    byId("out").addEventListener("click", function () { zoom(2); });
    byId("earlier").addEventListener("click", function () { pan(-0.5); });
    byId("later").addEventListener("click", function () { pan(0.5); });
    byId("whole").addEventListener("click", function () { setPeriod(first, last); });
    byId("height").addEventListener("input", function () { setHeight(Number(byId("height").value)); });
    view.addEventListener("scroll", drawSoon, { passive: true });
    view.addEventListener("click", function (event) {
      const group = event.target.closest ? event.target.closest("[data-row]") : null;
      if (group) choose(Number(group.getAttribute("data-row")));
    });
    view.addEventListener("wheel", function (event) {
      if (!event.ctrlKey) return;
      event.preventDefault();
      setHeight(state.height * (event.deltaY > 0 ? 0.85 : 1.18));
    }, { passive: false });
    view.addEventListener("keydown", keyPressed);
    document.addEventListener("click", linkClicked);
    window.addEventListener("resize", function () { select(); });
    window.addEventListener("beforeprint", print);
    window.addEventListener("afterprint", function () { byId("print").replaceChildren(); select(); });
    window.addEventListener("hashchange", followHash);
    listenToBrush();
  }

  function keyPressed(event) {
    const page = Math.max(1, Math.floor(view.clientHeight / state.height) - 3);
    const actions = {
      ArrowDown: function () { step(1); }, ArrowUp: function () { step(-1); },
      PageDown: function () { step(page); }, PageUp: function () { step(-page); },
      Home: function () { choose(shown.length > 0 ? shown[0] : -1); }, End: function () { step(shown.length); },
      "+": function () { zoom(0.5); }, "=": function () { zoom(0.5); }, "-": function () { zoom(2); }, "0": function () { setPeriod(first, last); },
      n: function () { nextMark(1); }, p: function () { nextMark(-1); }, Escape: function () { choose(-1); }
    };
    if (event.shiftKey) Object.assign(actions, { ArrowLeft: function () { pan(-0.5); }, ArrowRight: function () { pan(0.5); } });
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  // The links of problems and findings lead to rows of the ladder.
  function linkClicked(event) {
    const link = event.target.closest ? event.target.closest("a[data-row]") : null;
    if (!link) return;
    event.preventDefault();
    const item = link.closest("[data-problem]");
    const row = Number(link.getAttribute("data-row"));
    if (item) showProblem(Number(item.getAttribute("data-problem")), row); else choose(row);
    if (view.getBoundingClientRect().top > window.innerHeight * 0.6 || view.getBoundingClientRect().bottom < 100) byId("ladder").scrollIntoView();
    view.focus({ preventScroll: true });
  }

  // The clients of a problem have columns.
  function showProblem(index, row) {
    const own = new Set(data.problems[index].rows.map(clientOf));
    const lacks = Array.from(own).some(function (client) { return !layout.columns.has(client); });
    if (lacks) {
      const most = Math.max(3, room());
      const wanted = [clientOf(row)].concat(Array.from(own).filter(function (client) { return client !== clientOf(row); }));
      const others = layout.clients.filter(function (client) { return !own.has(client); });
      state.chosen = wanted.concat(others).slice(0, most);
      select();
      listClients();
    }
    choose(row, index);
  }

  function followHash() {
    const found = /^#(row|problem)-(\d+)$/.exec(location.hash);
    if (!found) return;
    const number = Number(found[2]);
    if (found[1] === "row" && number < total) choose(number);
    const problem = found[1] === "problem" ? data.problems[number] : undefined;
    if (problem && problem.rows.length > 0) showProblem(number, problem.rows[0]);
  }

  function listenToBrush() {
    const box = byId("overview");
    let start = null;
    const timeAt = function (event) {
      const place = box.getBoundingClientRect();
      return first + Math.max(0, Math.min(1, (event.clientX - place.left) / place.width)) * (last - first);
    };
    box.addEventListener("pointerdown", function (event) {
      start = { time: timeAt(event), x: event.clientX };
      box.setPointerCapture(event.pointerId);
    });
    box.addEventListener("pointermove", function (event) {
      if (!start || Math.abs(event.clientX - start.x) < 4) return;
      const now = timeAt(event);
      state.from = Math.min(start.time, now);
      state.to = Math.max(start.time, now);
      drawOverview();
    });
    box.addEventListener("pointerup", function (event) {
      if (!start) return;
      const isClick = Math.abs(event.clientX - start.x) < 4;
      const time = start.time;
      start = null;
      if (!isClick) { setPeriod(state.from, state.to); return; }
      // A click leads to the rows at that time.
      if (time < state.from || time > state.to) setPeriod(first, last);
      view.scrollTop = Math.max(0, placeOf(time) * state.height - view.clientHeight / 3);
    });
    box.addEventListener("pointercancel", function () { start = null; });
    box.addEventListener("dblclick", function () { setPeriod(first, last); });
  }

  // On paper, the selected rows, up to a limit.
  const MOST_PRINTED = 400;
  function print() {
    const height = state.height;
    state.height = 22;
    const parts = [];
    const end = Math.min(shown.length, MOST_PRINTED);
    for (let from = 0; from < end; from += 8) {
      if (from % 40 === 0) parts.push(byId("head").firstChild.cloneNode(true));
      parts.push(picture(from, Math.min(end, from + 8)));
    }
    parts.forEach(function (svg) { if (!svg.getAttribute("viewBox")) svg.setAttribute("viewBox", "0 0 " + layout.width + " 40"); });
    state.height = height;
    const note = document.createElement("p");
    note.textContent = end < shown.length ? "The first " + end + " of " + plural(shown.length, "row") + ". Select less to print it." : "";
    byId("print").replaceChildren.apply(byId("print"), parts.concat([note]));
  }

  function start() {
    document.querySelectorAll("details.lines").forEach(function (details) { details.removeAttribute("open"); });
    byId("ladder").hidden = false;
    state.height = isNarrow() ? 36 : 24;
    byId("height").value = state.height;
    addHatch();
    key();
    listen();
    select();
    listTypes();
    describe(-1);
    followHash();
  }

  start();
})();
//]]>
