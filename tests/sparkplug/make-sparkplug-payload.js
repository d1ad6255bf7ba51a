// Prints the life of a node in the payloads of npm sparkplug-payload 1.0.3: npm install sparkplug-payload@1.0.3
const codec = require('sparkplug-payload').get('spBv1.0');
const T = 1700000000000;
const say = (kind, seq, metrics) => {
  const payload = {timestamp: T, metrics};
  if (seq !== undefined) payload.seq = seq;
  console.log(kind, Buffer.from(codec.encodePayload(payload)).toString('hex'));
};
const bdSeq = value => ({name: 'bdSeq', timestamp: T, type: 'UInt64', value});
const rebirth = value => ({name: 'Node Control/Rebirth', timestamp: T, type: 'Boolean', value});
const temp = {name: 'Temp', alias: 7, timestamp: T, type: 'Int8', value: -41};
const flow = {name: 'Flow', alias: 8, timestamp: T, type: 'Float', value: 1.5};
const change = (alias, type, value) => ({alias, timestamp: T + 1, type, value});
const births = number => {
  say('NBIRTH', 0, [bdSeq(number), rebirth(false), temp]);
  say('DBIRTH', 1, [flow]);
};

say('WILL', undefined, [bdSeq(0)]);
births(0);
say('NDATA', 2, [change(7, 'Int8', -42)]);
say('DDATA', 3, [change(8, 'Float', 2.5), {...change(8, 'Float', 0.5), timestamp: T - 9, isHistorical: true}]);
say('DDEATH', 4, []);
say('DBIRTH', 5, [flow]);
say('NCMD', undefined, [rebirth(true)]);
births(0);
say('NDATA', 2, [change(7, 'Int8', -43)]);
say('NDEATH', undefined, [bdSeq(0)]);
console.log('DISCONNECT');
say('WILL', undefined, [bdSeq(1)]);
births(1);
say('DDATA', 2, [change(8, 'Float', 3.5)]);
