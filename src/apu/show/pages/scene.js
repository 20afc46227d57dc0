"use strict";
const $ = id => document.getElementById(id);
const data = JSON.parse($("data").textContent), photo = data.photo, canvas = $("canvas");
const asked = { alpha: true, antialias: true, premultipliedAlpha: true };
const gl = canvas.getContext("webgl2", asked) || canvas.getContext("webgl", asked);

// ---- what is drawn: y up, metres, the photo's camera at the origin, looking along -z
const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0)).buffer;
const faces = data.wide ? new Uint32Array(bytes(data.faces)) : new Uint16Array(bytes(data.faces));
const regions = new Uint8Array(bytes(data.regions));
const bodies = data.bodies.map(body => {
  const steps = new Uint16Array(bytes(body.points)), points = new Float32Array(steps.length);
  const low = [1e9, 1e9, 1e9], high = [-1e9, -1e9, -1e9];
  for (let i = 0; i < steps.length; i++) {
    points[i] = body.low[i % 3] + steps[i] * body.step[i % 3];
    low[i % 3] = Math.min(low[i % 3], points[i]); high[i % 3] = Math.max(high[i % 3], points[i]);
  }
  return { ...body, points, low, high, shown: true };
});
const everything = bodies.length ? bodies : [{ low: [-1, -1, -4], high: [1, 1, -2] }];
const low = [0, 1, 2].map(i => Math.min(...everything.map(b => b.low[i])));
const high = [0, 1, 2].map(i => Math.max(...everything.map(b => b.high[i])));
const middle = [0, 1, 2].map(i => (low[i] + high[i]) / 2);
const radius = Math.hypot(...[0, 1, 2].map(i => high[i] - low[i])) / 2;
const depth = Math.max(0.5, -low[2] + 0.25);
const corner = (u, v) => [(u - photo.center[0]) / photo.focal * depth, (photo.center[1] - v) / photo.focal * depth, -depth];
const corners = [corner(0, 0), corner(photo.width, 0), corner(photo.width, photo.height), corner(0, photo.height)];

function normalsOf(points) {
  const sum = new Float32Array(points.length);
  for (let f = 0; f < faces.length; f += 3) {
    const [i, j, k] = [faces[f] * 3, faces[f + 1] * 3, faces[f + 2] * 3];
    const ax = points[j] - points[i], ay = points[j + 1] - points[i + 1], az = points[j + 2] - points[i + 2];
    const bx = points[k] - points[i], by = points[k + 1] - points[i + 1], bz = points[k + 2] - points[i + 2];
    const x = ay * bz - az * by, y = az * bx - ax * bz, z = ax * by - ay * bx;
    for (const at of [i, j, k]) { sum[at] += x; sum[at + 1] += y; sum[at + 2] += z; }
  }
  return sum;
}

function colorsOf(body, contact) {
  const names = contact ? [contact] : data.contacts, touched = new Set(names.flatMap(c => c.regions[body.person]));
  const colors = new Uint8Array(body.points.length);
  regions.forEach((region, i) => colors.set(touched.has(region) ? body.touching : body.color, 3 * i));
  return colors;
}

// ---- the view: turning about `target`, or held to the photo's own camera
const view = { target: middle, yaw: 0.6, pitch: 0.2, distance: 3, held: false, zoom: 1 };
const WIDE = Math.tan(Math.PI / 9);
const lens = () => {
  const aspect = canvas.width / canvas.height;
  if (!view.held) return { tan: WIDE / Math.min(1, aspect), x: 0, y: 0, aspect };
  const flat = [];
  for (const b of everything) for (const x of [b.low[0], b.high[0]]) for (const y of [b.low[1], b.high[1]])
    for (const z of [b.low[2], b.high[2]]) flat.push([x / Math.max(-z, 0.1), y / Math.max(-z, 0.1)]);
  const [x0, y0] = [0, 1].map(i => Math.min(...flat.map(p => p[i])));
  const [x1, y1] = [0, 1].map(i => Math.max(...flat.map(p => p[i])));
  const tan = Math.max((y1 - y0) / 2, (x1 - x0) / 2 / aspect) * 1.35 / view.zoom;
  return { tan, x: (x0 + x1) / 2, y: (y0 + y1) / 2, aspect };
};
function axes() {
  if (view.held) return [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
  const [sy, cy, sp, cp] = [Math.sin(view.yaw), Math.cos(view.yaw), Math.sin(view.pitch), Math.cos(view.pitch)];
  return [[cy, 0, -sy], [-sy * sp, cp, -cy * sp], [sy * cp, sp, cy * cp]];
}
const eye = () => view.held ? [0, 0, 0] : view.target.map((t, i) => t + view.distance * axes()[2][i]);
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
function matrices() {
  const rows = axes(), from = eye(), { tan, x, y, aspect } = lens(), near = 0.02, far = 200;
  const look = [0, 1, 2].flatMap(i => [rows[0][i], rows[1][i], rows[2][i], 0]);
  look.push(-dot(rows[0], from), -dot(rows[1], from), -dot(rows[2], from), 1);
  const [px, py] = [1 / (tan * aspect), 1 / tan];
  const flat = [px, 0, 0, 0, 0, py, 0, 0, px * x, py * y, (far + near) / (near - far), -1,
    0, 0, 2 * far * near / (near - far), 0];
  return { look: new Float32Array(look), flat: new Float32Array(flat) };
}
function place(name) {
  view.held = name == "photo"; view.zoom = 1; view.target = middle.slice();
  [view.yaw, view.pitch] = { side: [Math.PI / 2, 0], top: [0, 1.55], behind: [Math.PI, 0.1] }[name] || [0.6, 0.2];
  view.distance = radius / Math.sin(Math.atan(WIDE)) * 1.02;
  for (const b of document.querySelectorAll("[data-view]")) b.setAttribute("aria-pressed", b.dataset.view == name);
  ask();
}
function letGo() {  // from the photo's camera to a free one at the same place
  if (!view.held) return;
  const far = Math.hypot(...middle), tan = lens().tan;
  Object.assign(view, { held: false, target: middle.slice(), yaw: Math.atan2(-middle[0], -middle[2]),
    pitch: Math.asin(-middle[1] / far), distance: far * tan / WIDE });
  for (const b of document.querySelectorAll("[data-view]")) b.setAttribute("aria-pressed", "false");
}

// ---- drawing
const SHADERS = {
  skin: [`attribute vec3 point, normal, color; uniform mat4 look, flat_; varying vec3 n, c, toward;
    void main() { vec4 p = look * vec4(point, 1.); n = mat3(look) * normal; c = color; toward = -p.xyz;
      gl_Position = flat_ * p; }`,
    `precision highp float; varying vec3 n, c, toward; uniform float opacity;
    void main() { vec3 v = normalize(toward), m = normalize(n), key = normalize(vec3(-.45, .75, .6));
      if (dot(m, v) < 0.) m = -m;
      float light = .36 + .36 * dot(m, v) + .34 * clamp((dot(m, key) + .25) / 1.25, 0., 1.);
      float shine = .1 * pow(clamp(dot(m, normalize(v + key)), 0., 1.), 28.);
      gl_FragColor = vec4(min(c * light + shine, 1.) * opacity, opacity); }`],
  line: [`attribute vec3 point; uniform mat4 look, flat_; void main() { gl_Position = flat_ * (look * vec4(point, 1.)); }`,
    `precision highp float; uniform vec4 color; void main() { gl_FragColor = color; }`],
  photo: [`attribute vec3 point; attribute vec2 at; uniform mat4 look, flat_; varying vec2 uv;
    void main() { uv = at; gl_Position = flat_ * (look * vec4(point, 1.)); }`,
    `precision highp float; varying vec2 uv; uniform sampler2D image;
    void main() { gl_FragColor = vec4(texture2D(image, uv).rgb, 1.); }`],
};
function program([vertex, fragment]) {
  const made = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text); gl.compileShader(shader); gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  return made;
}
function buffer(values, kind = gl.ARRAY_BUFFER) {
  const made = gl.createBuffer();
  gl.bindBuffer(kind, made); gl.bufferData(kind, values, gl.STATIC_DRAW);
  return made;
}
function attribute(made, name, held, size, type = gl.FLOAT) {
  const at = gl.getAttribLocation(made, name);
  gl.bindBuffer(gl.ARRAY_BUFFER, held); gl.enableVertexAttribArray(at);
  gl.vertexAttribPointer(at, size, type, type != gl.FLOAT, 0, 0);
}
function use(made, m) {
  gl.useProgram(made);
  gl.uniformMatrix4fv(gl.getUniformLocation(made, "look"), false, m.look);
  gl.uniformMatrix4fv(gl.getUniformLocation(made, "flat_"), false, m.flat);
}
let made, picture = null, asking = false;
function setUp() {
  gl.getExtension("OES_element_index_uint");
  made = Object.fromEntries(Object.entries(SHADERS).map(([name, text]) => [name, program(text)]));
  made.faces = buffer(faces, gl.ELEMENT_ARRAY_BUFFER);
  for (const b of bodies)
    Object.assign(b, { at: buffer(b.points), normal: buffer(normalsOf(b.points)), paint: buffer(colorsOf(b)) });
  made.plane = buffer(new Float32Array([...corners[0], ...corners[3], ...corners[1], ...corners[2]]));
  made.uv = buffer(new Float32Array([0, 0, 0, 1, 1, 0, 1, 1]));
  const frame = corners.flatMap((c, i) => [...c, ...corners[(i + 1) % 4], 0, 0, 0, ...c]), grid = [];
  const [gx, gz] = [middle[0], middle[2]].map(at => Math.round(at * 2) / 2);
  for (let k = -2; k <= 2; k += 0.5) grid.push(gx + k, low[1], gz - 2, gx + k, low[1], gz + 2, gx - 2, low[1], gz + k, gx + 2, low[1], gz + k);
  made.lines = buffer(new Float32Array([...frame, ...grid]));
  made.counts = [frame.length / 3, grid.length / 3];
  const image = new Image();
  image.onload = () => {
    picture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, picture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, gl.RGB, gl.UNSIGNED_BYTE, image);
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    ask();
  };
  image.src = photo.source;
}
function ask() { if (!asking) { asking = true; requestAnimationFrame(draw); } }
function draw() {
  asking = false;
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const wanted = [canvas.clientWidth, canvas.clientHeight].map(side => Math.max(1, Math.round(side * ratio)));
  if (canvas.width != wanted[0] || canvas.height != wanted[1]) [canvas.width, canvas.height] = wanted;
  const m = matrices(), dark = matchMedia("(prefers-color-scheme: dark)").matches, opacity = Number($("opacity").value);
  gl.viewport(0, 0, canvas.width, canvas.height);
  gl.clearColor(0, 0, 0, 0); gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  gl.enable(gl.DEPTH_TEST); gl.depthFunc(gl.LEQUAL); gl.enable(gl.BLEND); gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  const withPhoto = $("photo").checked;
  if (picture && withPhoto && eye()[2] > -depth) {
    use(made.photo, m); gl.depthMask(false);
    attribute(made.photo, "point", made.plane, 3); attribute(made.photo, "at", made.uv, 2);
    gl.bindTexture(gl.TEXTURE_2D, picture); gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4); gl.depthMask(true);
  }
  if (!view.held) {
    use(made.line, m); attribute(made.line, "point", made.lines, 3);
    gl.uniform4fv(gl.getUniformLocation(made.line, "color"), dark ? [.2, .22, .25, .5] : [.37, .39, .42, .5]);
    if (withPhoto && Math.hypot(...eye()) > 0.7) gl.drawArrays(gl.LINES, 0, made.counts[0]);
    gl.uniform4fv(gl.getUniformLocation(made.line, "color"), dark ? [.12, .13, .15, .3] : [.22, .23, .24, .3]);
    gl.drawArrays(gl.LINES, made.counts[0], made.counts[1]);
  }
  use(made.skin, m); gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, made.faces);
  gl.uniform1f(gl.getUniformLocation(made.skin, "opacity"), opacity);
  for (const pass of opacity < 1 ? [false, true] : [true]) {  // depth first: only the nearest skin shines through
    gl.colorMask(pass, pass, pass, pass);
    for (const b of bodies.filter(b => b.shown && opacity > 0)) {
      attribute(made.skin, "point", b.at, 3); attribute(made.skin, "normal", b.normal, 3);
      attribute(made.skin, "color", b.paint, 3, gl.UNSIGNED_BYTE);
      gl.drawElements(gl.TRIANGLES, faces.length, data.wide ? gl.UNSIGNED_INT : gl.UNSIGNED_SHORT, 0);
    }
  }
  gl.colorMask(true, true, true, true);
  for (const b of bodies) tag(b, m);
}
function tag(body, m) {
  const p = [0, 1, 2].map(i => m.look[i] * body.crown[0] + m.look[4 + i] * body.crown[1] + m.look[8 + i] * body.crown[2] + m.look[12 + i]);
  const [x, y] = [(m.flat[0] * p[0] + m.flat[8] * p[2]) / -p[2], (m.flat[5] * p[1] + m.flat[9] * p[2]) / -p[2]];
  body.tag.hidden = !body.shown || p[2] > -0.02 || Math.abs(x) > 1 || Math.abs(y) > 1;
  body.tag.style.transform = `translate(${(x + 1) / 2 * canvas.clientWidth}px, ${(1 - y) / 2 * canvas.clientHeight}px)`;
}

// ---- hands on it
const fingers = new Map();
function turn(dx, dy) { letGo(); view.yaw -= dx; view.pitch = Math.max(-1.55, Math.min(1.55, view.pitch + dy)); ask(); }
function zoom(factor) {
  if (view.held) view.zoom = Math.max(0.2, Math.min(20, view.zoom / factor));
  else view.distance = Math.max(0.15, Math.min(60, view.distance * factor));
  ask();
}
function move(dx, dy) {
  letGo();
  const [right, up] = axes(), scale = 2 * view.distance * lens().tan / canvas.clientHeight;
  view.target = view.target.map((t, i) => t + (dy * up[i] - dx * right[i]) * scale);
  ask();
}
function listen() {
  canvas.addEventListener("pointerdown", e => { canvas.setPointerCapture(e.pointerId); fingers.set(e.pointerId, e); });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, e => fingers.delete(e.pointerId));
  canvas.addEventListener("pointermove", e => {
    const before = fingers.get(e.pointerId);
    if (!before) return;
    const [dx, dy] = [e.clientX - before.clientX, e.clientY - before.clientY];
    const other = [...fingers.values()].find(f => f.pointerId != e.pointerId);
    if (other) {
      const apart = f => Math.hypot(f.clientX - other.clientX, f.clientY - other.clientY) || 1;
      zoom(apart(before) / apart(e)); move(dx / 2, dy / 2);
    } else if (e.buttons & 6 || e.shiftKey) move(dx, dy);
    else turn(dx * 0.008, dy * 0.008);
    fingers.set(e.pointerId, e);
  });
  canvas.addEventListener("wheel", e => { e.preventDefault(); zoom(Math.exp(Math.sign(e.deltaY) * 0.12)); }, { passive: false });
  canvas.addEventListener("contextmenu", e => e.preventDefault());
  canvas.addEventListener("keydown", e => {
    const turns = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[e.key];
    if (turns) turn(...turns); else if (e.key == "+") zoom(0.9); else if (e.key == "-") zoom(1.1); else return;
    e.preventDefault();
  });
  canvas.addEventListener("webglcontextlost", e => e.preventDefault());
  canvas.addEventListener("webglcontextrestored", () => { picture = null; setUp(); ask(); });
  window.addEventListener("resize", ask);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", ask);
  for (const b of document.querySelectorAll("[data-view]")) b.addEventListener("click", () => place(b.dataset.view));
  for (const id of ["photo", "opacity"]) $(id).addEventListener("input", ask);
  for (const person of [0, 1]) $("show" + person).addEventListener("change", e => {
    for (const b of bodies) if (b.person == person) b.shown = e.target.checked;
    ask();
  });
}
function listContacts() {
  $("side").hidden = !data.contacts.length;
  $("side").firstElementChild.open = window.innerWidth > 700;
  for (const contact of data.contacts) {
    const row = document.createElement("li"), button = document.createElement("button");
    const name = document.createElement("span"), far = document.createElement("b");
    name.textContent = contact.name; far.textContent = contact.words; far.className = contact.met ? "met" : "";
    button.append(name, far); button.setAttribute("aria-pressed", "false");
    if (gl) button.addEventListener("click", () => {
      const chosen = button.getAttribute("aria-pressed") != "true";
      for (const b of document.querySelectorAll("li button")) b.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-pressed", chosen);
      for (const b of bodies) { gl.deleteBuffer(b.paint); b.paint = buffer(colorsOf(b, chosen ? contact : null)); }
      ask();
    });
    row.append(button); $("contacts").append(row);
  }
}
for (const b of bodies) {
  b.tag = document.createElement("div");
  b.tag.className = "tag"; b.tag.textContent = b.name; b.tag.style.background = b.mark;
  document.body.append(b.tag);
}
listContacts();
$("none").hidden = Boolean(gl);
if (gl) { setUp(); listen(); place("free"); }
window.apuScene = { bodies, view, place, drawable: Boolean(gl) };
