// The picker: thresholds decide which models remain, two selects which are compared. No library, no network.
(function () {
  "use strict";
  function make(tag, text, attributes) {
    var node = document.createElement(tag);
    if (text !== null && text !== undefined) node.textContent = text;
    Object.keys(attributes || {}).forEach(function (name) { node.setAttribute(name, attributes[name]); });
    return node;
  }
  function number(value, property, signed) {
    var text = Math.abs(value).toFixed(property.digits);
    return (value < 0 ? "\u2212" : signed ? "+" : "") + text;
  }
  function between(part, property, signed) {
    if (part.low === null) return ", no interval";
    return " [" + number(part.low, property, signed) + ", " + number(part.high, property, signed) + "]";
  }
  function meets(part, property, limit) {
    return property.better === "low" ? part.value <= limit : part.value >= limit;
  }
  function unsure(part, limit) { return part.low === null || (part.low <= limit && limit <= part.high); }

  function failures(data, model, wanted) {
    var failed = [], close = [];
    data.properties.forEach(function (property) {
      var limit = wanted.limits[property.id];
      if (limit === undefined) return;
      var part = property.values[model];
      var said = property.title + ": " + number(part.value, property) + between(part, property);
      if (!meets(part, property, limit)) failed.push(said);
      else if (unsure(part, limit)) close.push(said);
    });
    if (wanted.words && !data.models[model].words) failed.push("needs training for new classes");
    return { failed: failed, close: close };
  }

  function difference(property, first, second) {
    var found = property.differences[first + " - " + second];
    if (found) return found;
    var turned = property.differences[second + " - " + first];
    return { value: -turned.value, low: turned.low === null ? null : -turned.high, high: turned.low === null ? null : -turned.low };
  }

  function lead(data, property, first, second) {
    var found = difference(property, first, second);
    if (Math.abs(found.value) < 1e-12) return { who: "equal", found: found };
    if (property.better === "none") return { who: data.models[found.value > 0 ? first : second].label + " (higher)", found: found };
    var ahead = (found.value > 0) === (property.better === "high");
    return { who: data.models[ahead ? first : second].label, found: found };
  }

  function verdict(found) {
    if (found.low === null) return "cannot be told";
    return found.low > 0 || found.high < 0 ? "resolved" : "not resolved";
  }

  function start(root) {
    var data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
    var form = root.querySelector(".picker-form"), result = root.querySelector(".picker-result");
    var body = root.querySelector(".picker-pairs tbody"), caption = root.querySelector(".picker-pairs caption");
    var selects = root.querySelectorAll("select");

    function wanted() {
      var limits = {};
      form.querySelectorAll("input[type='number']").forEach(function (input) {
        if (input.value !== "" && !isNaN(input.valueAsNumber)) limits[input.name] = input.valueAsNumber;
      });
      return { limits: limits, words: form.querySelector("input[type='checkbox']").checked };
    }
    function remaining() {
      var asked = wanted(), left = [];
      result.replaceChildren();
      var list = make("ul");
      Object.keys(data.models).forEach(function (model) {
        var found = failures(data, model, asked), item = make("li");
        var stays = found.failed.length === 0;
        if (stays) left.push(model);
        item.appendChild(make("strong", data.models[model].label));
        var close = found.close.length ? ", within its interval: " + found.close.join("; ") : "";
        item.appendChild(make("span", stays ? " meets every must-have" + close : " does not: " + found.failed.join("; ")));
        item.className = stays ? "picker-in" : "picker-out";
        list.appendChild(item);
      });
      result.appendChild(make("p", left.length + " of " + Object.keys(data.models).length + " models remain."));
      result.appendChild(list);
      if (left.length > 1) { selects[0].value = left[0]; selects[1].value = left[1]; }
    }
    function compare() {
      var first = selects[0].value, second = selects[1].value;
      caption.textContent = data.models[first].label + " against " + data.models[second].label;
      body.replaceChildren();
      data.properties.forEach(function (property) {
        var row = make("tr");
        row.appendChild(make("th", property.title, { scope: "row" }));
        if (first === second) { row.appendChild(make("td", "choose two models", { colspan: "2" })); body.appendChild(row); return; }
        var told = lead(data, property, first, second);
        var size = told.found.value < 0 ? { value: -told.found.value, low: told.found.low === null ? null : -told.found.high,
          high: told.found.low === null ? null : -told.found.low } : told.found;
        row.appendChild(make("td", told.who));
        var much = number(size.value, property) + property.unit + between(size, property) + ": ";
        row.appendChild(make("td", much)).appendChild(make("strong", verdict(size)));
        body.appendChild(row);
      });
    }
    form.addEventListener("input", function () { remaining(); compare(); });
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.addEventListener("reset", function () { setTimeout(function () { remaining(); compare(); }, 0); });
    selects.forEach(function (select) { select.addEventListener("change", compare); });
    root.querySelector(".picker-live").hidden = false;
    remaining();
    compare();
  }
  document.querySelectorAll(".picker:not([data-ready])").forEach(function (root) {
    root.setAttribute("data-ready", "yes");
    start(root);
  });
})();
