// Browsers refuse Web Workers to pages that are opened as files. Here an invisible frame takes the worker's place, so that
// the search works without a server. Material's search worker looks for the name IFrameWorker in its parent.
if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.appendChild(frame);
      const inside = (this.inside = frame.contentWindow);
      inside.answer = (data) => {
        const event = new MessageEvent("message", { data });
        this.dispatchEvent(event);
        if (this.onmessage) this.onmessage(event);
      };
      this.ready = new Promise((resolve) => (inside.loaded = resolve));
      inside.document.open();
      inside.document.write(
        "<!doctype html><script>" +
          "postMessage = (data) => answer(data);" +
          "importScripts = (...urls) => Promise.all(urls.map((url) => new Promise((resolve, reject) => {" +
          "const script = document.createElement('script');" +
          "script.src = url; script.onload = resolve; script.onerror = reject;" +
          "document.body.appendChild(script); })));" +
          "</" + "script>" +
          '<script src="' + url + '"></' + "script><body><script>loaded()</" + "script>"
      );
      inside.document.close();
    }
    postMessage(data) {
      this.ready.then(() => this.inside.dispatchEvent(new this.inside.MessageEvent("message", { data })));
    }
    terminate() {}
  };
  window.Worker = window.IFrameWorker;
}
