class Insufficient(Exception):
    def __init__(self, need, have): super().__init__('need %d, have %d' % (need, have)); self.need, self.have = need, have
class Account:
    _next = 1
    def __init__(self, owner, balance=0):
        self.owner, self._balance, self.history = owner, balance, []
        self.id = Account._next; Account._next += 1
    @property
    def balance(self): return self._balance
    def deposit(self, n):
        if n <= 0: raise ValueError('amount must be positive')
        self._balance += n; self.history.append(('d', n))
    def withdraw(self, n):
        if n > self._balance: raise Insufficient(n, self._balance)
        self._balance -= n; self.history.append(('w', n))
class Savings(Account):
    rate = 5
    def interest(self): self.deposit(self.balance * self.rate // 100)
class Bank:
    def __init__(self): self.accounts = {}
    def open(self, cls, *a): x = cls(*a); self.accounts[x.id] = x; return x
    def transfer(self, a, b, n):
        undo = a.balance
        try:
            a.withdraw(n); b.deposit(n)
        except ValueError:
            a._balance = undo; raise
    def __iter__(self): return iter(sorted(self.accounts.values(), key=lambda x: x.id))
    def __len__(self): return len(self.accounts)
bank = Bank(); a = bank.open(Account, 'ann', 100); b = bank.open(Savings, 'bob', 200)
bank.transfer(a, b, 30); b.interest()
for bad in (lambda: bank.transfer(a, b, 1000), lambda: bank.transfer(b, a, -5), lambda: a.deposit(0)):
    try:
        bad()
    except Insufficient as e:
        print('insufficient', e, e.need - e.have)
    except ValueError as e:
        print('value', e)
for x in bank: print(x.id, x.owner, x.balance, x.history, isinstance(x, Savings))
print(len(bank), sum(x.balance for x in bank))
try:
    a.balance = 5
except AttributeError:
    print('read only')
