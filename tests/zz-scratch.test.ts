import { Door, L500I } from "/work/main/tests/support/door";
describe("x", () => { it("y", () => {
  const door = new Door({ profile: L500I });
  let t = performance.now();
  let n=0;
  const codes: any = {};
  for (let i = 0; i < 3000; i++) {
    const r = door.apply({op:"put-schedule", id: 1 + i%16, windows:[{days:127,start:i%1440,duration:1+(i%1000)}]});
    codes[r[0]] = (codes[r[0]]??0)+1; n++;
    door.lock.tick();
  }
  console.log(n, performance.now()-t, codes);
  const a = door.receipt();
  const before = {first: door.lock.parts.table.acks.first, last: door.lock.parts.table.acks.last};
  door.reboot();
  console.log(before, {first: door.lock.parts.table.acks.first, last: door.lock.parts.table.acks.last}, door.hello().flags, door.lock.parts.table.log.damage);
  console.log(door.lock.parts.table.log.oldest, door.lock.parts.table.log.newest, door.lock.parts.table.log.ready);
});
 it("idle usage", () => {
  const door = new Door({ profile: L500I });
  for (let s=0;s<10;s++) door.apply(door.pin(s, "12345"+s+"78", {uses: 60000}));
  for (let s=1;s<=16;s++) door.apply({op:"put-schedule", id: s, windows:[{days:127,start:0,duration:1}]});
  let i = 0; const c: any = {};
  for (; i < 20000; i++) { const r = door.type("12345"+(i%10)+"78"); door.lock.tick(); c[r]=(c[r]??0)+1; if (r!=="granted") break; }
  console.log(i, c, door.lock.parts.table.log.faults, door.lock.parts.table.log.oldest, door.lock.parts.table.log.newest, door.lock.parts.table.log.ready);
 });
 it("bundles without ticks", () => {
  const door = new Door({ profile: L500I });
  for (let s=0;s<10;s++) door.apply(door.pin(s, "12345"+s+"78", {uses: 60000}));
  let i=0;
  try { for (; i < 3000; i++) door.apply(...Array.from({length:32}, (_, j) => ({op:"put-schedule" as const, id: 1+j%16, windows:[{days:127,start:(i+(j>>4))%1440,duration:1}]}))); } catch (e) { console.log(i, e); }
  console.log(door.lock.parts.table.log.faults, door.lock.parts.table.log.oldest, door.lock.parts.table.log.newest, door.lock.parts.table.log.ready);
 });
});
