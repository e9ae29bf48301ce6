// The LMS's half of the messages between its page and a framed tool:
// lti.capabilities, lti.put_data, lti.get_data (platform storage), lti.frameResize, lti.close.
(() => {
  const frame = document.getElementById("tool");
  const origins = frame.dataset.origins.split(" ");
  const storage = frame.dataset.storage === "on";
  const partitions = frame.dataset.partitions === "on"; // every origin may store, each on its own
  const stores = new Map(); // one for each origin, as long as this page lives
  const MAX_KEYS = 500;
  const MAX_VALUE = 4096;

  class Refused extends Error {
    constructor(code, message) { super(message); this.code = code; }
  }

  const store = (origin) => {
    if (!stores.has(origin)) stores.set(origin, new Map());
    return stores.get(origin);
  };
  const text = (value, name) => {
    if (typeof value !== "string" || value === "") throw new Refused("bad_request", `${name} must be text`);
    return value;
  };

  const storageMessages = {
    "lti.put_data": (data, origin) => {
      const key = text(data.key, "key");
      const own = store(origin);
      if (data.value === null || data.value === undefined || data.value === "") {
        own.delete(key);
        return { key, value: null };
      }
      if (text(data.value, "value").length > MAX_VALUE || (!own.has(key) && own.size >= MAX_KEYS)) {
        throw new Refused("storage_exhaustion", "too much is stored already");
      }
      own.set(key, data.value);
      return { key, value: data.value };
    },
    "lti.get_data": (data, origin) => {
      const key = text(data.key, "key");
      return { key, value: store(origin).get(key) ?? null };
    },
  };

  const resize = (data) => {
    const height = Number(data.height);
    if (!Number.isFinite(height) || height <= 0) throw new Refused("bad_request", "height must be a number");
    frame.style.height = `${Math.min(Math.max(height, 200), 20000)}px`;
    return { height };
  };
  const close = () => { window.location.assign(frame.dataset.close); return {}; };

  const vendor = {
    "lti.fetchWindowSize": () => ({
      height: window.innerHeight, width: window.innerWidth, offset: frame.offsetTop, footer: 0, scrollY: window.scrollY,
    }),
    "lti.scrollToTop": () => { frame.scrollIntoView(); return {}; },
    "lti.showAlert": (data) => { document.title = String(data.body); return {}; },
  };
  const named = (frame.dataset.messages || "").split(" ").filter(Boolean);
  const vendorMessages = Object.fromEntries(named.map((subject) => [subject, vendor[subject] ?? (() => ({}))]));

  const messages = {
    "lti.capabilities": () => ({
      supported_messages: Object.keys(messages).map((subject) =>
        subject in storageMessages ? { subject, frame: frame.dataset.frame || "_parent" } : { subject }),
    }),
    ...(storage ? storageMessages : {}),
    ...vendorMessages,
    "lti.frameResize": resize,
    "lti.close": close,
    "org.imsglobal.lti.close": close,
  };

  const read = (data) => {
    if (typeof data !== "string") return data;
    try { return JSON.parse(data); } catch { return null; }
  };
  const allowed = (subject, origin) => origins.includes(origin) || (partitions && subject in storageMessages);

  window.answerTool = (event) => {
    const data = read(event.data);
    if (!data || typeof data !== "object" || typeof data.subject !== "string") return;
    if (!/^(lti|org\.imsglobal\.lti)\./.test(data.subject) || data.subject.endsWith(".response")) return;
    const answer = { subject: `${data.subject}.response`, message_id: data.message_id };
    try {
      if (!allowed(data.subject, event.origin)) throw new Refused("wrong_origin", "this origin is not the tool's");
      if (!Object.hasOwn(messages, data.subject)) throw new Refused("unsupported_subject", "not supported here");
      if (data.subject !== "org.imsglobal.lti.close" && data.subject !== "lti.close") text(data.message_id, "message_id");
      Object.assign(answer, messages[data.subject](data, event.origin));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      answer.error = { code: error.code, message: error.message };
    }
    if (event.source && event.origin !== "null") event.source.postMessage(answer, event.origin);
  };
  window.addEventListener("message", window.answerTool);
})();
