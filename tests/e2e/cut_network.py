"""A network that can be cut under an FTP session."""
import ftplib
import select
import socket
import threading


class Network:
    """What lies between a client and the board, until it is cut: then neither
    side hears anything of the other any more."""

    def __init__(self, address):
        self.is_cut, self.ends = threading.Event(), []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self.connect, args=(address,),
                         daemon=True).start()

    def connect(self, address):
        self.ends = [self.listener.accept()[0],
                     socket.create_connection(address)]
        for a, b in (self.ends, self.ends[::-1]):
            threading.Thread(target=self.carry, args=(a, b),
                             daemon=True).start()

    def carry(self, source, sink):
        try:
            while not self.is_cut.is_set():
                if select.select([source], [], [], 0.05)[0]:
                    data = source.recv(65536)
                    sink.sendall(data)
                    if not data:
                        return
        except OSError:
            pass

    def wait_for_the_end(self):
        """Of the board's patience with a client it hears nothing of. Where
        the board refused the transfer, nothing was connected."""
        if not self.ends:
            return
        try:
            assert self.ends[1].recv(1) == b""
        except ConnectionResetError:
            pass


def through_networks(board):
    """An FTP session whose connections go through a network each."""
    control = Network(board.ftp)
    networks = [control]
    ftp = ftplib.FTP()
    ftp.connect(*control.address, 20)
    ftp.login("micro", "python")
    direct = ftp.makepasv

    def makepasv():
        networks.append(Network(direct()))
        return networks[-1].address
    ftp.makepasv = makepasv
    return ftp, networks
