"""A connection to itself whose data nobody reads, with SO_LINGER; says its number and closes it when told."""
import socket
import struct
import sys

server = socket.create_server(('127.0.0.1', 0))
client = socket.create_connection(server.getsockname())
peer, _ = server.accept()
client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 2))
client.setblocking(False)
try:
    while True:
        client.send(bytes(65536))
except BlockingIOError:
    pass
print(client.fileno(), flush=True)
sys.stdin.readline()
client.close()
print('closed', flush=True)
sys.stdin.readline()
