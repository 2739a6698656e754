// SPDX-License-Identifier: Apache-2.0
// A Java program that knows nothing of proxies: GET of its argument, exit status 0 for a 200.
import java.net.HttpURLConnection;
import java.net.URI;

public class Plain {
  public static void main(String[] arguments) throws Exception {
    HttpURLConnection connection = (HttpURLConnection) URI.create(arguments[0]).toURL().openConnection();
    connection.setRequestProperty("Authorization", "Bearer " + System.getenv("GH_TOKEN"));
    System.exit(connection.getResponseCode() == 200 ? 0 : 1);
  }
}
