/*
 * client.c
 *		one GET by HTTP/1.0: the answer ends with the connection.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "status/client.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/arena.h"
#include "status/server.h"

#define WAIT_SECONDS 3
#define ANSWER_MAX   ((size_t) 1 << 20)

/* Where a server that listens everywhere is found. */
static void
use_loopback(struct sockaddr_storage *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *) address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) address;

	if (address->ss_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (address->ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
		v6->sin6_addr = in6addr_loopback;
}

static bool
send_all(int fd, const Buf *request)
{
	size_t sent = 0;

	while (sent < request->len)
	{
		ssize_t now = send(fd, request->data + sent, request->len - sent, MSG_NOSIGNAL);

		if (now < 0 && errno == EINTR)
			continue;
		if (now <= 0)
			return false;
		sent += (size_t) now;
	}
	return true;
}

static bool
receive_all(int fd, Buf *buf)
{
	char chunk[4096];
	ssize_t now;

	while ((now = recv(fd, chunk, sizeof chunk, 0)) != 0)
	{
		if (now < 0 && errno == EINTR)
			continue;
		if (now < 0 || buf->len > ANSWER_MAX)
			return false;
		buf_append(buf, chunk, (size_t) now);
	}
	return true;
}

/* "HTTP/1.1 200 OK", headers, an empty line, the body. */
static bool
take_answer(Buf *received, StatusAnswer *answer)
{
	static const char end[] = "\r\n\r\n";
	const char *text = buf_cstr(received);
	const char *body = strstr(text, end);

	if (body == NULL || strncmp(text, "HTTP/1.", 7) != 0 || text[8] != ' ')
		return false;
	if (strncmp(text + 9, "200", 3) != 0 && strncmp(text + 9, "503", 3) != 0)
		return false;
	answer->healthy = text[9] == '2';
	buf_text(&answer->body, body + strlen(end));
	return true;
}

static bool
exchange(int fd, const struct sockaddr_storage *address, unsigned length,
         const char *path, Buf *received)
{
	struct timeval wait = { .tv_sec = WAIT_SECONDS };
	Buf request = buf_heap();
	bool ok;

	buf_printf(&request,
	           "GET %s HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n",
	           path);
	ok = setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0 &&
	     setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) == 0 &&
	     connect(fd, (const struct sockaddr *) address, length) == 0 &&
	     send_all(fd, &request) && receive_all(fd, received);
	buf_free(&request);
	return ok;
}

bool
status_ask(const Config *config, const char *path, StatusAnswer *answer, Err *err)
{
	struct sockaddr_storage address;
	unsigned length;
	Buf received = buf_heap();
	int fd;
	bool ok;

	if (!status_address(config, &address, &length, err))
		return false;
	use_loopback(&address);
	errno = 0;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ok = fd >= 0 && exchange(fd, &address, length, path, &received);
	if (!ok)
		(void) fail(err,
		            ERR_RETRY,
		            "no worker answers at status.address \"%s\", status.port %d: %s",
		            config->status_address,
		            (int) config->status_port,
		            strerror(errno));
	else if (!take_answer(&received, answer))
		ok = fail(err,
		          ERR_RETRY,
		          "what answers at status.address \"%s\", status.port %d is no worker",
		          config->status_address,
		          (int) config->status_port);
	if (fd >= 0)
		(void) close(fd);
	buf_free(&received);
	return ok;
}
