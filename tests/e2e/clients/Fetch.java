// SPDX-License-Identifier: Apache-2.0
// Fetch URL PROXY_PORT: a GET by Java's own client, HTTP/2 where the server agrees; version and body on stdout.
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

public class Fetch {
  public static void main(String[] words) throws Exception {
    var proxy = ProxySelector.of(new InetSocketAddress("127.0.0.1", Integer.parseInt(words[1])));
    var client = HttpClient.newBuilder().proxy(proxy).build();
    var request = HttpRequest.newBuilder(URI.create(words[0]))
        .header("Authorization", "Bearer " + System.getenv("TOKEN")).build();
    var answer = client.send(request, HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) throw new Exception("status " + answer.statusCode());
    System.out.print(answer.version() + "\n" + answer.body());
  }
}
