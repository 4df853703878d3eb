"""Constructs through which the engine loses data: each is still missed, and left out of the grammars.

In a program, lines behind `^` stand at module level and lines behind `~` in the other file.
"""

from typing import NamedTuple


class Gap(NamedTuple):
    """A program whose handler gives `text` to the shell without a report."""

    language: str
    reason: str
    program: str


def _gaps(language: str, text: str) -> list[Gap]:
    pieces = [piece.strip("\n").partition("\n") for piece in text.split("\n# ")[1:]]
    return [Gap(language, reason, program) for reason, _, program in pieces]


_PYTHON = r'''
# An exception does not carry what it was made from.
try:
    raise ValueError(text)
except ValueError as error:
    os.system(str(error))

# An exception of an own class loses its fields.
^class Failure(Exception):
^    def __init__(self, detail):
^        self.detail = detail
try:
    raise Failure(text)
except Failure as error:
    os.system(error.detail)

# The error of a conversion repeats its argument.
try:
    int(text)
except ValueError as error:
    os.system(f"bad {error}")

# A method of a local class does not see the variables around the class.
class Local:
    def run(self):
        os.system(text)
Local().run()

# The default value of a lambda parameter is not bound.
os.system((lambda v=text: v)())

# An inner function that was returned by another one loses what it captured when it has no parameters.
^def make(v):
^    return lambda: v
f = make(text)
os.system(f())

# A partial application that is called without further arguments loses its own.
f = functools.partial(echo, text)
os.system(f())

# A bound method of a text loses its receiver.
f = text.strip
os.system(f())

# A bound method of a list changes no list.
parts = ["a"]
put = parts.append
put(text)
os.system(parts[-1])

# A partial application of a bound method changes no list.
parts = ["a"]
functools.partial(parts.append, text)()
os.system(parts[-1])

# `insert` does not reach an element that the literal named by its index.
parts = ["a"]
parts.insert(0, text)
os.system(parts[0])

# Keyword arguments of `dict.update` do not reach a field that the literal named.
fields = {"a": "b"}
fields.update(a=text)
os.system(fields["a"])

# A union of two dictionaries is not changed by `update`.
fields = {"a": "1"} | {"a": "2"}
fields.update({"a": text})
os.system(fields["a"])

# A union with the variables of an object loses the other side when it is spread into a call.
^def pick(**options):
^    return options.get("a", "none")
os.system(pick(**(vars(Box("v")) | {"a": text})))

# What a slice was given does not reach a callback.
parts = ["a"]
parts[0:1] = [text]
list(map(os.system, parts))

# A starred target does not get the elements behind its own index.
first, *rest = ["a", text, "b"]
os.system(rest[0])

# `map` with a built-in class passes nothing.
os.system(" ".join(map(str, [text])))

# Formatting an object does not call its `__str__`.
box = Box(text)
os.system(f"{box}")

# An operator on an object does not call its method.
^class Sum:
^    def __init__(self, v):
^        self.v = v
^    def __add__(self, other):
^        return self.v + other
os.system(Sum(text) + "x")

# `__enter__` of an own class is not called by `with`.
with Held(text) as got:
    os.system(got)

# `__next__` of an own class is not called by `for`.
^class Once:
^    def __init__(self, v):
^        self.left = [v]
^    def __iter__(self):
^        return self
^    def __next__(self):
^        if not self.left:
^            raise StopIteration
^        return self.left.pop()
for got in Once(text):
    os.system(got)

# `__getattr__` is not called for a missing attribute.
^class Open:
^    def __init__(self, v):
^        self.v = v
^    def __getattr__(self, name):
^        return self.v
os.system(Open(text).anything)

# An own class that extends `list` does not keep what its constructor was given.
^class Items(list):
^    def first(self):
^        return self[0]
os.system(Items([text]).first())

# A `default_factory` field of a dataclass is no container.
^@dataclasses.dataclass
^class Row:
^    b: list = dataclasses.field(default_factory=list)
row = Row()
row.b.append(text)
os.system(row.b[0])

# `operator.attrgetter` reads no attribute.
os.system(operator.attrgetter("value")(Box(text)))

# A module dictionary that one function fills is empty in the function that reads it.
^KEPT = {}
^def kept():
^    return KEPT.get("a", "none")
KEPT["a"] = text
os.system(kept())

# A list of another module is not seen to change by the module that reads it.
~KEPT = ["x"]
~def keep(v):
~    KEPT.append(v)
^import parts
parts.keep(text)
os.system(parts.KEPT[-1])

# The lists that a `defaultdict` makes are not kept.
kept = collections.defaultdict(list)
kept["k"].append(text)
os.system(kept["k"][0])

# A `bytearray` does not keep what it is extended with.
data = bytearray()
data.extend(text.encode())
os.system(data.decode())

# The target of a thread is not called.
def work(v):
    os.system(v)
thread = threading.Thread(target=work, args=(text,))
thread.start()
thread.join()

# A method given to a thread as its target is not called.
parts = ["a"]
thread = threading.Thread(target=parts.append, args=(text,))
thread.start()
thread.join()
os.system(parts[-1])

# `yield from` a generator that is defined further down yields nothing.
def outer():
    yield from inner()
def inner():
    yield text
for got in outer():
    os.system(got)

# The value that a generator returns is not the result of `yield from`.
def inner():
    yield "one"
    return text
def outer():
    os.system((yield from inner()))
list(outer())

# A function that changes a container which a library made changes nothing for its caller.
^def change(fields, v):
^    fields["a"] = v
fields = json.loads('{"a": "x"}')
change(fields, text)
os.system(fields["a"])

# A function that changes the result of a comprehension changes nothing for its caller.
^def change(items, v):
^    items.append(v)
items = [a + b for a, b in zip(["q"], ["w"])]
change(items, text)
os.system(items[-1])

# A list that a class declares is not seen to change through its instances.
^class Kept:
^    kept = []
^    def add(self, v):
^        self.kept.append(v)
Kept().add(text)
os.system(Kept().kept[-1])

# A container that a library made and the handler changed is unchanged in a copy.
fields = json.loads('{"a": "x"}')
fields["a"] = text
os.system(fields.copy()["a"])

# A container that a library made and the handler changed is unchanged when it is spread.
^def pick(**options):
^    return options["a"]
fields = json.loads('{"a": "x"}')
fields["a"] = text
os.system(pick(**fields))

# A method of a built-in class that is called with its receiver as argument passes nothing.
os.system(str.strip(text))

# An inner function with captured data that is given to a thread pool loses what it captured.
with concurrent.futures.ThreadPoolExecutor(1) as pool:
    os.system(list(pool.map(maker(text), ["one"]))[0])

# What two gathered coroutines captured is lost when they are awaited in a third function.
late = text.strip()
async def one(v):
    return late
async def both():
    return await asyncio.gather(one("a"), one("b"))
for got in asyncio.run(both()):
    os.system(got)

# A comprehension that a function returned does not keep what its caller appends.
def make():
    return [v + "x" for v in ["a"]]
parts = make()
parts.append(text)
os.system(parts[-1])

# A starred pattern does not get what was appended to the list.
parts = ["a"]
parts.append(text)
match parts:
    case [first, *rest]:
        os.system(rest[0])
'''

_JAVASCRIPT = r"""
# An exception does not carry what it was made from.
try {
    throw new Error(text);
} catch (error) {
    execSync(error.message);
}

# A thrown text is lost.
try {
    throw text;
} catch (error) {
    execSync(error);
}

# The fields of a thrown object are lost.
try {
    throw { detail: text };
} catch ({ detail }) {
    execSync(detail);
}

# A method of a local class does not see the variables around the class.
class Local {
    run() {
        execSync(text);
    }
}
new Local().run();

# A field initialiser of a local class does not see the variables around the class.
class Local {
    kept = text;
}
execSync(new Local().kept);

# A function in a field of a class does not know the object.
^class Kept {
^    kept = [];
^    add = (v) => { this.kept.push(v); };
^}
const kept = new Kept();
kept.add(text);
execSync(kept.kept.at(-1));

# A class that extends `Array` does not keep what is pushed.
^class Items extends Array {
^    first() {
^        return this[0];
^    }
^}
const items = new Items();
items.push(text);
execSync(items.first());

# A method on a prototype is not found.
^function Old(v) {
^    this.v = v;
^}
^Old.prototype.show = function () {
^    return this.v;
^};
execSync(new Old(text).show());

# An inner function that was returned by another one loses what it captured.
^const make = (v) => () => v;
const f = make(text);
execSync(f());

# An inner function with parameters that was returned by another one loses what it captured.
^const make = (v) => (w) => v + w;
const f = make(text);
execSync(f("x"));

# `bind` loses the arguments it was given.
const f = echo.bind(null, text);
execSync(f());

# A bound method of a list changes no list.
const parts1 = ["a"];
const put = parts1.push.bind(parts1);
put(text);
execSync(parts1.at(-1));

# `call` of a shell function is no sink.
execSync.call(null, text);

# `call` of a method of arrays changes no array.
const list = ["a"];
Array.prototype.push.call(list, text);
execSync(list.at(-1));

# `apply` of a method of arrays changes no array.
const list = ["a"];
list.push.apply(list, [text]);
execSync(list.at(-1));

# `unshift` does not reach an element that the literal named by its index.
const list = ["a"];
list.unshift(text);
execSync(list[0]);

# `splice` does not reach an element that the literal named by its index.
const list = ["a"];
list.splice(0, 1, text);
execSync(list[0]);

# `fill` does not reach an element that the literal named by its index.
const list = ["a"];
list.fill(text);
execSync(list[0]);

# A rest element does not get the elements behind its own index.
const [first, ...rest] = ["a", text, "b"];
execSync(rest[0]);

# The third parameter of a `forEach` callback is not the array.
[text].forEach((v, i, list) => {
    execSync(list[0]);
});

# Destructuring the entries of an object in a callback loses the values.
execSync(Object.entries({ a: text }).map(([k, v]) => v)[0]);

# A computed key is not among the keys of an object.
execSync(Object.keys({ [text]: 1 })[0]);

# A getter in an object literal is not called.
const lazy = { get a() { return text; } };
execSync(lazy.a);

# Formatting an object does not call its `toString`.
const box = new Box(text);
execSync(`${box}`);

# The value a promise is resolved with is not its result.
%async
execSync(await new Promise((resolve) => resolve(text)));

# A `resolve` that left the executor resolves nothing.
%async
let done;
const promise = new Promise((resolve) => { done = resolve; });
done(text);
execSync(await promise);

# The reason of a rejected promise is not what `catch` is given.
%async
execSync(await new Promise((_, reject) => reject(text)).catch((e) => e));

# The reason of a rejected promise is not what the statement catches.
%async
try {
    await Promise.reject(text);
} catch (error) {
    execSync(error);
}

# The value that a generator returns is not the result of `yield*`.
function* inner() {
    yield "one";
    return text;
}
function* outer() {
    execSync(yield* inner());
}
[...outer()];

# A module object that one function fills is empty in the function that reads it.
^const KEPT = {};
^const kept = () => KEPT.a ?? "none";
KEPT.a = text;
execSync(kept());

# A module map that one function fills is empty in the function that reads it.
^const KEPT = new Map();
^const kept = () => KEPT.get("a");
KEPT.set("a", text);
execSync(kept());

# A function that another function stored in a map is not called.
^const TABLE = new Map();
^const keep = (name, f) => TABLE.set(name, f);
^keep("go", (v) => execSync(v));
TABLE.get("go")(text);

# A list of another module is not seen to change by the module that reads it.
~export const KEPT = ["x"];
~export function keep(v) {
~    KEPT.push(v);
~}
parts.keep(text);
execSync(parts.KEPT.at(-1));

# The result of an asynchronous function that is called where it stands is lost.
%async
execSync(await (async () => text)());

# An array that `new Array` made and `fill` filled gives nothing to a callback.
new Array(2).fill(text).map(execSync);

# A function that changes an array which a library made changes nothing for its caller.
^function change(list, v) {
^    list.push(v);
^}
const list = new Array(2).fill("a");
change(list, text);
list.some((v) => execSync(v));

# An object of a class that extends a class of another module is not followed inside a callback.
~export class Outer {
~    constructor(v) {
~        this.v = v;
~    }
~}
^class Inner extends parts.Outer {
^    show() {
^        return this.v;
^    }
^}
called("plain", (error, v) => {
    execSync(new Inner(text).show());
});

# An array that a generator filled gives nothing to a library function as callback.
Array.from(gen(text)).map(execSync);

# A callback of an own function does not see the variables around it.
called("x", (error, v) => {
    execSync(text);
});

# A method in a returned object does not see what its maker was given.
execSync(old(text).shout());

# What is written through a proxy does not reach its target.
const fields = { a: "v" };
const proxy = new Proxy(fields, {});
proxy.a = text;
execSync(fields.a);
"""

GAPS = (*_gaps("python", _PYTHON), *_gaps("javascript", _JAVASCRIPT))
