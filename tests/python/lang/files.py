import os
name = 'lang_test.tmp'
with open(name, 'w') as f:
    print(f.write('one\ntwo\nthree\n'))
with open(name) as f:
    print(f.read())
with open(name) as f:
    print([l.strip() for l in f])
with open(name, 'a') as f:
    f.write('four\n')
with open(name, 'rb') as f:
    print(f.read(3), f.tell(), f.seek(-5, 2), f.read(), f.read())
with open(name, 'r+b') as f:
    f.seek(4); f.write(b'TWO'); f.seek(0); print(f.readline(), f.readline(), f.readlines())
print(os.stat(name)[6], name in os.listdir())
with open(name, 'wb') as f:
    for i in range(300): f.write(bytes([i & 255] * 37))
with open(name, 'rb') as f:
    d = f.read(); print(len(d), d[37 * 5], d[-1], sum(d))
    f.seek(1000); print(f.read(4))
os.rename(name, name + '2'); print(name in os.listdir(), name + '2' in os.listdir())
os.remove(name + '2')
for bad in (lambda: open('missing/none'), lambda: os.remove('nothing'), lambda: os.stat('zip')):
    try:
        bad()
    except OSError as e:
        print(e.errno)
os.mkdir('lang_dir'); open('lang_dir/f', 'w').close(); print(os.listdir('lang_dir'))
try:
    os.rmdir('lang_dir')
except OSError as e:
    print('not empty')
os.remove('lang_dir/f'); os.rmdir('lang_dir'); print('lang_dir' in os.listdir())
