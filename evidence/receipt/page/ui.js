// The page itself: chosen files in, a report out. Foreign text only ever becomes text.

const NAMES = {
  container: ["证据包", "bundle"], record: ["存证记录", "record"], transaction: ["账本交易", "transaction"], inclusion: ["日志路径", "inclusion"],
  header: ["区块头", "header"], certificates: ["证书", "certificates"], trust: ["信任根", "trust"], original: ["原件", "original"],
  disclosures: ["披露的个人信息", "disclosures"], validators: ["验证节点", "validators"], batch: ["批量存证", "batch"],
  log_consistency: ["日志一致性", "log consistency"], witness: ["见证", "witness"], time_token: ["时间戳", "time token"],
  time_bound: ["时间误差", "time bound"], process_log: ["全程留痕", "process log"], seal: ["签名印章", "seal"], revocation: ["证书吊销", "revocation"],
};
const STATUSES = { proven: ["✓ 成立", "✓ proven"], failed: ["✗ 不成立", "✗ failed"], absent: ["— 未附", "— absent"], unchecked: ["? 未核验", "? not checked"] };

function page() {
  const $ = (id) => document.getElementById(id), chosen = { bundle: [], originals: [], trust: [] };
  let language = 0, shown = null;
  const words = (zh, en) => (language === 0 ? zh : en);

  const translate = () => {
    document.documentElement.lang = words("zh-CN", "en");
    for (const element of document.querySelectorAll("[data-zh]")) element.textContent = words(element.dataset.zh, element.dataset.en);
    $("language").textContent = words("English", "中文");
    if (shown) show(shown);
  };
  $("language").addEventListener("click", () => { language = 1 - language; translate(); });

  for (const id of Object.keys(chosen)) {
    const input = $(id), label = input.parentElement;
    const take = (files) => {
      chosen[id] = [...files].slice(0, id === "originals" ? 64 : 1);
      label.querySelector("output").textContent = chosen[id].map((file) => file.name).join("; ");
      $("start").disabled = chosen.bundle.length === 0;
    };
    input.addEventListener("change", () => take(input.files));
    label.addEventListener("dragover", (event) => { event.preventDefault(); label.classList.add("over"); });
    label.addEventListener("dragleave", () => label.classList.remove("over"));
    label.addEventListener("drop", (event) => { event.preventDefault(); label.classList.remove("over"); take(event.dataTransfer.files); });
  }

  const make = (tag, text, className) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  };
  const table = (caption, className, heads, rows) => {
    const out = make("table", undefined, className), body = make("tbody");
    out.append(make("caption", caption));
    if (heads) { const head = make("thead"), row = make("tr"); row.append(...heads.map((text) => make("th", text))); head.append(row); out.append(head); }
    for (const cells of rows) { const row = make("tr"); row.append(...cells); body.append(row); }
    out.append(body);
    return out;
  };
  const when = (ms) => (ms === undefined ? undefined : new Date(ms + 8 * 3600 * 1000).toISOString().slice(0, 19).replace("T", " ") + words("（北京时间）", " (UTC+8)"));

  const headline = ({ verdict, assurance, elements }) => {
    const count = (status) => elements.filter((element) => element.status === status).length;
    const names = (status) => elements.filter((element) => element.status === status).map((element) => NAMES[element.name][language]).join(words("、", ", "));
    if (verdict === "not_verified") return ["failed", words("核验不通过", "Not verified"), words(`不成立的要素：${names("failed")}。`, `Failed: ${names("failed")}.`)];
    if (verdict === "verified" && assurance === "channel") return ["proven", words("核验通过", "Verified"), words(`${count("proven")} 项要素成立，没有不成立或未核验的要素。`, `${count("proven")} elements are proven; none failed, none was left out.`)];
    if (verdict === "verified") return ["unchecked", words("核验通过，但验证节点仅由证书担保", "Verified, but only certificates vouch for the validators"), words("信任文件只有根证书，没有载明通道。", "The trust file holds roots alone and names no channel.")];
    return ["unchecked", words("未能完成核验", "Could not be fully checked"), words(`${count("proven")} 项要素成立；尚未核验：${names("unchecked")}。`, `${count("proven")} elements are proven; not checked: ${names("unchecked")}.`)];
  };

  const show = (result) => {
    shown = result;
    const [className, title, text] = headline(result), { claims } = result;
    const box = make("div", undefined, `verdict ${className}`);
    box.append(make("h2", title), make("p", text));
    const facts = [
      [words("存证编号", "Evidence id"), claims.evidenceId], [words("存证机构", "Agency"), claims.agency], [words("存证时间", "Recorded at"), when(claims.recordedAtMs)],
      [words("通道", "Channel"), claims.channel], [words("交易", "Transaction"), claims.txId],
      [words("作证区块头", "Header"), claims.headerNumber === undefined ? undefined : `${claims.headerNumber} · ${when(claims.headerTimeMs)}`],
      [words("证据包内的文件", "In the bundle"), claims.documents?.join(", ")],
    ].filter(([, value]) => value !== undefined && value !== "").map(([name, value]) => [make("th", name), make("td", value)]);
    const rows = result.elements.map((element) => [
      make("td", STATUSES[element.status][language], `status ${element.status}`), make("th", NAMES[element.name][language], "name"),
      make("td", words(element.zh, element.en)), make("td", element.code, "code"),
    ]);
    const said = result.verdict === "verified" ? words("已证明的事实", "Facts proven") : words("证据包自述（未经全部证明）", "What the bundle says of itself (not all of it proven)");
    $("result").replaceChildren(box, ...(facts.length > 0 ? [table(said, "facts", null, facts)] : []),
      table(words("逐项核验结果", "Element by element"), "", [words("结论", "Status"), words("要素", "Element"), words("理由", "Reason"), words("代码", "Code")], rows));
  };

  const trouble = (text) => { shown = null; const box = make("div", undefined, "verdict unchecked"); box.append(make("h2", text)); $("result").replaceChildren(box); };

  $("start").addEventListener("click", async () => {
    $("start").disabled = true;
    try {
      const [bundle] = chosen.bundle, [trustFile] = chosen.trust;
      if (trustFile && trustFile.size > 1 << 20) throw new Malformed("trust");
      const trust = trustFile ? utf8(new Uint8Array(await trustFile.arrayBuffer())) : null;
      if (trust !== null) readTrust(trust);
      const progress = (part) => { $("result").textContent = words(`正在核验 ${Math.floor(part * 100)}%`, `checking ${Math.floor(part * 100)}%`); };
      show(await verifyBundle({ bundle, originals: chosen.originals, trust }, progress));
    } catch (error) {
      trouble(error instanceof Malformed || error instanceof TypeError ? words("信任文件无法读懂，不予采用。", "The trust file is not understood, and is not used.") : words(`文件无法读取：${error.message}`, `A file could not be read: ${error.message}`));
    }
    $("start").disabled = false;
  });
}

if (typeof document !== "undefined") page();
